package load

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// follow reads the outbox of the engine's sandbox.
type follow struct {
	c    *client
	book *book
	seq  uint64 // of the last text that was read
	lost uint64 // texts that the outbox had forgotten before they were read
}

// outboxEvery is how often the outbox is read.
const outboxEvery = 200 * time.Millisecond

// begin finds where the outbox stands.
func (f *follow) begin() error {
	answer, err := f.c.do("GET", "/sandbox/outbox?limit=1", "")
	if err != nil {
		return fmt.Errorf("the carrier of this engine is not the sandbox, and no stub was given: %w", err)
	}
	var page outboxPage
	if err := json.Unmarshal(answer, &page); err != nil {
		return err
	}
	if len(page.Items) > 0 {
		f.seq = page.Items[0].Seq
	}
	return nil
}

type outboxPage struct {
	Items []struct {
		Seq  uint64    `json:"seq"`
		At   time.Time `json:"at"`
		To   string    `json:"to"`
		Text string    `json:"text"`
	} `json:"items"`
}

// run reads until ctx ends, and once more then.
func (f *follow) run(ctx context.Context) {
	tick := time.NewTicker(outboxEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			f.read()
			return
		case <-tick.C:
			f.read()
		}
	}
}

// read takes in all that is new.
func (f *follow) read() {
	for {
		answer, err := f.c.do("GET", "/sandbox/outbox?limit=500&after="+strconv.FormatUint(f.seq, 10), "")
		var page outboxPage
		if err == nil {
			err = json.Unmarshal(answer, &page)
		}
		if err != nil {
			f.c.fail("outbox_unreadable", 1, err.Error())
			return
		}
		for _, e := range page.Items {
			f.lost += e.Seq - f.seq - 1
			f.seq = e.Seq
			f.book.arrive(e.To, e.Text, e.At)
		}
		if len(page.Items) < 500 {
			return
		}
	}
}
