package engine

// sender is the one of the pool that the person's texts come from (S6): the one
// that they came from before, so that they are one conversation on the phone and
// a reply finds it; if it left the pool, or there was none, one that is drawn
// from the person's id. A number that is added moves nobody, one that is removed
// only those who had it. Empty: the carrier has one sender, without a name.
func (t *turn) sender() string {
	pool := t.env.Policy.Senders
	var drawn string
	var most uint64
	for _, s := range pool {
		if s == t.u.Sender {
			return s
		}
		if w := weight(t.u.ID, s); drawn == "" || w > most {
			drawn, most = s, w
		}
	}
	return drawn
}

// weight ranks a sender for a person (rendezvous hashing): FNV-1a over both,
// then mixed, since the names in a pool differ in their last bytes only.
func weight(userID, sender string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range len(userID) {
		h = (h ^ uint64(userID[i])) * prime
	}
	h *= prime // a zero byte between the two
	for i := range len(sender) {
		h = (h ^ uint64(sender[i])) * prime
	}
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}
