package actors

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// streamHerald holds what is to be told and is in no user's stream.
const streamHerald = "!herald"

// note is a record of that stream.
type note struct {
	What   engine.NoticeType `json:"what"`
	UserID string            `json:"user_id,omitempty"`
	Sender string            `json:"sender,omitempty"`
	Detail string            `json:"detail,omitempty"`
	Of     uint64            `json:"of,omitempty"` // the record that it speaks of; a repeated note has the same id
}

const (
	// What one read of the log takes in: so many notices, or records without.
	readTidingsMost = 256
	readRecordsMost = 20_000
	// readPause follows a read that failed.
	readPause = engine.Millis(60_000)
)

// read takes in the next piece of the log if there is one, and room for it.
// The log is read beside the actor, and at most once for what is told.
func (h *herald) read(now engine.Millis) {
	n := h.node
	if h.reading || h.hold || h.waiting >= maxWaiting || now < h.readAt || h.next >= n.cfg.Log.NextSeq() {
		return
	}
	h.reading = true
	from := h.next
	n.cfg.Go(func() { n.send(h.self, n.readTidings(from)) })
}

func (h *herald) takeIn(m tidingsRead) {
	h.reading = false
	h.next = m.next
	if m.gap > 0 {
		h.node.metrics.noticeGaps.Inc()
		h.cursor.behind = true
		h.node.log.Error("the journal was compacted before all of it was told to the webhook receiver", slog.Uint64("records", m.gap))
	}
	if m.err != nil {
		h.readAt = h.node.cfg.Clock.Now() + readPause
		h.node.log.Error("the journal can't be read for webhooks", slog.String("cause", m.err.Error()))
	}
	for _, t := range m.tidings {
		l := h.lanes[t.stream]
		if l == nil {
			l = &lane{stream: t.stream}
			h.lanes[t.stream] = l
		}
		if l.back != nil {
			l.back.skipped = true // it is read again when the stream's time comes
			continue
		}
		l.queue = append(l.queue, t)
		h.waiting++
		if l.again <= h.node.cfg.Clock.Now() {
			h.enqueue(l)
		}
	}
}

// readTidings reads the log from a sequence on.
func (n *Node) readTidings(from uint64) tidingsRead {
	m := tidingsRead{next: from}
	records := 0
	err := n.cfg.Log.Replay(from, func(r wal.Record) (err error) {
		if len(m.tidings) >= readTidingsMost || records == readRecordsMost {
			return errFound
		}
		records++
		if m.tidings, err = n.appendTidings(m.tidings, r); err != nil {
			n.log.Error("a record can't be read for webhooks", slog.Uint64("seq", r.Seq), slog.String("cause", err.Error()))
		}
		m.next = r.Seq + 1
		return nil
	})
	switch {
	case isCompacted(err):
		first := n.cfg.Log.Stats().FirstSeq
		m.next, m.gap = max(first, m.next), max(first, m.next)-m.next
	case err != nil && !errors.Is(err, errFound):
		m.err = err
	}
	return m
}

// readLane reads what a stream has to tell from a place on, up to a sequence,
// oldest first. more is set if there is more than is read at a time.
func (n *Node) readLane(stream string, from place, upto uint64) (tidings []tiding, more bool, err error) {
	var newestFirst [][]tiding
	head := n.cfg.Log.Head(stream)
	if head == 0 {
		return nil, false, nil
	}
	err = n.cfg.Log.History(stream, head, func(r wal.Record) (bool, error) {
		if r.Seq < from.Seq || r.Redacted {
			return false, nil // what is blanked was an earlier person's (N6)
		}
		if r.Seq >= upto {
			return true, nil
		}
		of, err := n.appendTidings(nil, r)
		of = slices.DeleteFunc(of, func(t tiding) bool { return t.before(from) })
		if len(of) > 0 {
			newestFirst = append(newestFirst, of)
		}
		if len(newestFirst) > laneReadMost {
			newestFirst, more = newestFirst[1:], true
		}
		return true, err
	})
	if err != nil && !isCompacted(err) {
		return nil, false, err
	}
	for _, of := range slices.Backward(newestFirst) {
		tidings = append(tidings, of...)
	}
	return tidings, more, nil
}

// appendTidings adds what a record has to tell. Blanked ones tell nothing.
func (n *Node) appendTidings(to []tiding, r wal.Record) ([]tiding, error) {
	switch {
	case r.Redacted:
		return to, nil
	case r.Stream == streamHerald:
		return n.appendNote(to, r)
	case strings.HasPrefix(r.Stream, "!"):
		return to, nil
	}
	_, events, err := codec.DecodeRecord(r.Version, r.Data)
	if err != nil {
		return to, err
	}
	var notices []engine.Notice
	for _, e := range events {
		notices = engine.AppendNotices(notices, e)
	}
	for i, notice := range notices {
		to = append(to, tiding{
			place: place{r.Seq, i}, stream: r.Stream, user: r.Stream, at: r.At, notice: notice,
			id: webhookID(n.tidings.store, r.Stream, r.Seq, uint64(i), uint64(r.At), string(r.Data)),
		})
	}
	return to, nil
}

func (n *Node) appendNote(to []tiding, r wal.Record) ([]tiding, error) {
	var m note
	if err := json.Unmarshal(r.Data, &m); err != nil {
		return to, err
	}
	t := tiding{
		place: place{Seq: r.Seq}, stream: r.Stream, user: m.UserID, at: r.At, notice: engine.Notice{Type: m.What, Sender: m.Sender, Text: m.Detail},
		id: webhookID(n.tidings.store, r.Stream, r.Seq, 0, uint64(r.At), string(r.Data)),
	}
	if m.Of != 0 {
		t.id = webhookID(n.tidings.store, r.Stream, m.Of, 0, 0, m.UserID)
	}
	return append(to, t), nil
}

var webhookIDs = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// webhookID names a fact by its record: a repeat after a crash has the same
// one. The record's content is in it, since after a restore from a backup
// other records take the same sequences.
func webhookID(store, stream string, seq, nth, at uint64, content string) string {
	buf := make([]byte, 0, 256)
	for _, s := range [...]string{store, stream, content} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	for _, n := range [...]uint64{seq, nth, at} {
		buf = binary.BigEndian.AppendUint64(buf, n)
	}
	sum := sha256.Sum256(buf)
	return "msg_" + webhookIDs.EncodeToString(sum[:])[:26]
}

// erase has what the log holds of a person blanked, and nothing of them told; before
// anybody can hear that they are erased.
func (n *Node) erase(m erase) {
	n.send(n.keeper, m)
	if n.herald != nil {
		n.send(n.herald, m)
	}
}

// tellErased notes that a person was erased, when the log holds nothing of
// them any more (N6): who was told of them may have something to erase too.
// Only the id is told.
func (n *Node) tellErased(m erase) {
	n.leaveNote(note{What: engine.NoticeErased, UserID: m.id, Of: m.seq})
}

// untold finds, in what a start reads of the log, the erasures that were carried out
// and whose note a crash has lost: by stream, the last record that is blanked,
// which is the one that erased. Who has the id since has others.
type untold map[string]uint64

func (u untold) see(r wal.Record) {
	switch {
	case r.Redacted:
		u[r.Stream] = r.Seq
	case r.Stream == streamHerald:
		var m note
		if err := json.Unmarshal(r.Data, &m); err == nil && m.What == engine.NoticeErased && u[m.UserID] == m.Of {
			delete(u, m.UserID)
		}
	}
}

// erasures lists those since a record, in the order of the log.
func (u untold) erasures(since uint64) []erase {
	var out []erase
	for id, seq := range u {
		if seq >= since {
			out = append(out, erase{id, seq})
		}
	}
	slices.SortFunc(out, func(a, b erase) int { return cmp.Compare(a.seq, b.seq) })
	return out
}

// tellSender notes that a sender was stopped or goes on, and why. It is
// durable like everything that is told.
func (n *Node) tellSender(what engine.NoticeType, name, why string) {
	n.leaveNote(note{What: what, Sender: name, Detail: why})
}

func (n *Node) leaveNote(m note) {
	if !n.tells() {
		return
	}
	data, err := json.Marshal(m)
	if err != nil {
		return // strings and numbers always can
	}
	now := n.cfg.Clock.Now()
	n.send(n.journal, &release{at: now, entry: wal.Entry{Stream: streamHerald, Kind: kindSystem, Version: 1, At: now, Data: data}})
}
