package actors

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
)

// entry is what the node knows of one user, in memory or not. There is one for
// each of millions: 64 bytes, the small fields together, whoever guards them.
type entry struct {
	id string

	// Guarded by the shard's lock.
	seat *seat // nil: passivated

	head uint64 // the journal's: sequence of the last record, with what is being flushed

	wake engine.Millis // recovery's: the next one, as the log has it
	slot int32         // the timer's: place in the heap, -1 for none

	offered   uint32 // the outbox': hash of a reminder that is queued or under way, 0 for none
	lastUsed  uint32 // the shard's: Unix seconds, which fit until 2106
	spawns    uint32 // the shard's
	gone      bool   // the shard's: erased, and no longer in the table
	shard     uint8  // the number of its shard
	headKnown bool   // the journal's
	dirtyIn   uint32 // the dirty set's: has records that no snapshot covers since it was taken so often
}

// busyFor is in seconds.
const busyFor = 1

// busy reports whether something was asked of the user within the last second or
// two. Most of them are asked again soon: their state would be read back at once.
func (e *entry) busy(now engine.Millis) bool {
	ago := now/1000 - int64(e.lastUsed)
	return ago >= 0 && ago <= busyFor
}

// seat is what a user in memory has besides the library's part: the mailbox,
// and what the actor keeps, in one piece of 192 bytes, three lines of the cache, of
// which the last has what is rarely needed. An instance that follows a panic takes
// it over.
type seat struct {
	mail mailbox
	self user // who takes requests
	e    *entry

	st    *engine.User  // nil while it loads or rests
	armed engine.Millis // the wake that the timer knows
	// unflushed counts what this actor has with the journal; the journal takes
	// away. While it is not 0 a read waits behind it.
	unflushed atomic.Int32
	uncertain uint16 // uncertain messages that the gauge knows of
	restarted bool   // the forerunner panicked
	planned   bool   // as it was read, just now, its day was planned

	current *request        // what is being handled
	settled *engine.Settled // of st; nil until an event comes, and at rest
	rest    *resting        // nil unless it rests
	lost    error           // why it can't be loaded
	backlog []any           // what came while it could not be handled
}

const tableShards = 256

// An entry has the number of its shard in a byte.
const _ = uint8(tableShards - 1)

// table maps user ids to entries. The library's registry costs fifteen times
// more per look-up.
type table struct {
	seed   uint64
	shards [tableShards]shard
}

// shard has its users in places, by the hashes of their ids: one is looked for from
// where its hash points to, until a place is free. A look-up takes a line of memory
// for the place, and those of the entry and the id; a map takes two more, and holds
// each id once more for the collector to mark.
type shard struct {
	mu     sync.Mutex
	number uint8
	places []shardPlace
	taken  int
}

type shardPlace struct {
	hash uint64
	e    *entry // nil: free
}

// home is where a user is, or would be.
type home struct {
	*shard
	id   string
	hash uint64
}

// newTable returns an empty table. Who shares a shard is drawn from the seed:
// nobody outside can choose it, and a run can be repeated.
func newTable(seed uint64) *table {
	t := &table{seed: seed ^ 0xcbf29ce484222325}
	for i := range t.shards {
		t.shards[i].number = uint8(i)
	}
	return t
}

// home is found by FNV-1a of the id, begun at the seed.
func (t *table) home(id string) home {
	h := t.seed
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 0x100000001b3
	}
	return home{&t.shards[(h^h>>32)%tableShards], id, h}
}

// of is the shard of an entry, for which its id need not be looked at.
func (t *table) of(e *entry) *shard { return &t.shards[e.shard] }

// get returns the entry of a user, and nil if there is none.
func (t *table) get(id string) *entry {
	h := t.home(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entry()
}

// seat returns the place of a user whose actor has just come to life.
func (t *table) seat(id string) *seat { return t.get(id).seat }

// entry returns the user's, and nil if there is none; the caller holds the shard's
// lock, as with what follows.
func (h home) entry() *entry {
	if h.taken == 0 {
		return nil
	}
	return h.places[h.find()].e
}

// find returns the user's place, or a free one if there is none.
func (h home) find() int {
	for i := h.begin(h.hash); ; i = h.behind(i) {
		if p := &h.places[i]; p.e == nil || p.hash == h.hash && p.e.id == h.id {
			return i
		}
	}
}

// ensure returns the entry of a user, who gets one if there is none.
func (h home) ensure() *entry {
	if e := h.entry(); e != nil {
		return e
	}
	return h.add()
}

// add makes the entry of a user who has none.
func (h home) add() *entry {
	e := &entry{id: strings.Clone(h.id), slot: -1, shard: h.number}
	if 5*(h.taken+1) > 4*len(h.places) {
		h.grow(max(8, len(h.places)+len(h.places)/2))
	}
	h.taken++
	h.put(shardPlace{h.hash, e})
	return e
}

// put takes the first free place for a hash.
func (s *shard) put(p shardPlace) {
	i := s.begin(p.hash)
	for s.places[i].e != nil {
		i = s.behind(i)
	}
	s.places[i] = p
}

// begin is where looking for a hash begins: its shard's users have the low bits in
// common, and ids that differ in their ends the high ones (Knuth, The Art of
// Computer Programming 3, 6.4).
func (s *shard) begin(hash uint64) int {
	return int((hash * 0x9e3779b97f4a7c15 >> 32) * uint64(len(s.places)) >> 32)
}

func (s *shard) behind(i int) int {
	if i++; i == len(s.places) {
		return 0
	}
	return i
}

func (s *shard) grow(places int) {
	was := s.places
	s.places = make([]shardPlace, places)
	for _, p := range was {
		if p.e != nil {
			s.put(p)
		}
	}
}

// drop takes a user out. Those behind are put in anew, up to the next free place:
// one of them may be there only because this one was in its way.
func (h home) drop() {
	if h.taken == 0 {
		return
	}
	i := h.find()
	if h.places[i].e == nil {
		return
	}
	h.places[i] = shardPlace{}
	h.taken--
	for i = h.behind(i); h.places[i].e != nil; i = h.behind(i) {
		p := h.places[i]
		h.places[i] = shardPlace{}
		h.put(p)
	}
}

// expect makes room in an empty table for so many users, shared by the shards
// as evenly as a hash does.
func (t *table) expect(users int) {
	each := users / tableShards
	for i := range t.shards {
		t.shards[i].grow((each+each/16)*5/4 + 1)
	}
}

// actorName makes the name of a user's next actor: names can't be used twice.
func (e *entry) actorName() string {
	e.spawns++
	return e.id + "\x00" + strconv.FormatUint(uint64(e.spawns), 36)
}

// byPID returns the entry of a user actor, nil for one of the node's own.
func (t *table) byPID(pid *actor.PID) *entry {
	i := strings.IndexByte(pid.GetId(), 0)
	if i < 0 {
		return nil
	}
	return t.get(pid.GetId()[:i])
}

// len counts the users known, and those with a live actor.
func (t *table) len() (users, alive int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		users += s.taken
		for _, p := range s.places {
			if p.e != nil && p.e.seat != nil {
				alive++
			}
		}
		s.mu.Unlock()
	}
	return users, alive
}

// users counts the users known.
func (t *table) users() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.taken
		s.mu.Unlock()
	}
	return n
}
