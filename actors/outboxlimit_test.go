package actors

import (
	"testing"
	"time"
)

// Hand-overs that begin together share a limit. It ends with the last of them,
// and not while another may begin.
func TestHandOversShareALimit(t *testing.T) {
	o := &outbox{watch: watch{now: 1000}, node: &Node{cfg: Config{SendTimeout: time.Minute}}}
	first := o.limit()
	if o.now++; o.limit() != first {
		t.Fatal("the second hand-over of a step has another limit")
	}
	left, ok := first.ctx.Deadline()
	if d := time.Until(left); !ok || d > time.Minute+limitStep || d < 30*time.Second {
		t.Fatalf("the limit is %s from now", d)
	}
	o.now += limitStep.Milliseconds()
	next := o.limit()
	if next == first {
		t.Fatal("the next step has the same limit")
	}
	if o.answered(first); first.ctx.Err() != nil {
		t.Fatal("the limit ended while a call was under way")
	}
	if o.answered(first); first.ctx.Err() == nil {
		t.Fatal("the limit outlives its last call")
	}
	if o.answered(next); next.ctx.Err() != nil {
		t.Fatal("the limit ended in its own step")
	}
	o.now += limitStep.Milliseconds()
	if o.limit(); next.ctx.Err() == nil {
		t.Fatal("a limit without calls outlives its step")
	}
}
