package engine

// Standing counts the hand-overs that are open: under way, and uncertain.
func (u *User) Standing() (sending, uncertain int) {
	for i := range u.Reminders {
		switch u.Reminders[i].Status { //nolint:exhaustive // the others are not open
		case StatusSending:
			sending++
		case StatusUncertain:
			uncertain++
		}
	}
	return sending, uncertain
}
