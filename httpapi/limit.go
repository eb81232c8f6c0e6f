package httpapi

import (
	"context"
	"time"

	"carillon/engine"
)

// limit is the time of the requests that began within the same step. They
// share one context, since one for each costs a timer and five allocations,
// and nobody has to know to the millisecond when to give up.
type limit struct {
	step engine.Millis
	ctx  context.Context
	end  context.CancelFunc
}

// limitStep is how much longer than RequestTimeout a request may have.
const limitStep = 100 * time.Millisecond

// limit returns a context that ends RequestTimeout from now, or a step later.
func (s *Server) limit(now engine.Millis) context.Context {
	step := now / limitStep.Milliseconds()
	is := s.until.Load()
	if is == nil || is.step != step || is.ctx.Err() != nil { // a clock may stand still
		is = &limit{step: step}
		is.ctx, is.end = context.WithTimeout(s.base, s.c.RequestTimeout+limitStep)
		s.until.Store(is)
	}
	return is.ctx
}
