package actors

import "slices"

// pushed appends to a queue of which head were taken out. A queue that never runs
// empty takes the room of those before it grows; then it doubles, where append would
// copy a long one at every quarter more.
func pushed[T any](queue []T, head int, last T) (longer []T, newHead int) {
	switch {
	case len(queue) < cap(queue):
	case 2*head > len(queue):
		queue, head = movedUp(queue, head), 0
	default:
		queue = slices.Grow(queue, max(len(queue), 1))
	}
	return append(queue, last), head
}

// movedUp moves what waits in a queue to its front, over the head that were taken out.
func movedUp[T any](queue []T, head int) []T {
	n := copy(queue, queue[head:])
	clear(queue[n:])
	return queue[:n]
}
