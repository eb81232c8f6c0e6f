package wal

// headTable has the head of each stream, by a hash of its name. Places are looked
// through one after the other from where the hash points to, so that a look-up
// mostly takes one line of the cache, where a map takes one for its tags and another,
// and what was found is changed where it is. There is a record's look-up for each
// stream that has not been touched for a while. The table is in parts, so that
// nobody waits long for one that grows.
type headTable struct {
	parts [256]headPart
	n     int
}

// headPart is full when four fifths of its places are taken.
type headPart struct {
	places []headPlace
	taken  int
}

type headPlace struct {
	hash uint64 // 0: free
	head head
}

// named is the hash as the table has it.
func named(hash uint64) uint64 { return max(hash, 1) }

func (t *headTable) part(hash uint64) *headPart { return &t.parts[hash>>56] }

// begin is where looking for a hash begins.
func (p *headPart) begin(hash uint64) int {
	return int(uint64(uint32(hash)) * uint64(len(p.places)) >> 32)
}

// place is where a hash is, or a free place, if there are any.
func (p *headPart) place(hash uint64) *headPlace {
	for i := p.begin(hash); ; i = p.behind(i) {
		if at := &p.places[i]; at.hash == hash || at.hash == 0 {
			return at
		}
	}
}

func (p *headPart) behind(i int) int {
	if i++; i == len(p.places) {
		return 0
	}
	return i
}

// find returns a stream's head, and nil if there is none. It may be changed until
// something is put in or dropped.
func (t *headTable) find(hash uint64) *head {
	hash = named(hash)
	p := t.part(hash)
	if p.taken == 0 {
		return nil
	}
	if at := p.place(hash); at.hash != 0 {
		return &at.head
	}
	return nil
}

func (t *headTable) put(hash uint64, h head) {
	hash = named(hash)
	p := t.part(hash)
	if 5*(p.taken+1) > 4*len(p.places) {
		p.grow(max(8, len(p.places)+len(p.places)/2))
	}
	at := p.place(hash)
	if at.hash == 0 {
		p.taken++
		t.n++
	}
	*at = headPlace{hash, h}
}

func (p *headPart) grow(places int) {
	was := p.places
	p.places = make([]headPlace, places)
	for i := range was {
		if was[i].hash != 0 {
			*p.place(was[i].hash) = was[i]
		}
	}
}

// drop takes a stream out, and moves up those behind it that would not be found any
// more over its free place.
func (t *headTable) drop(hash uint64) {
	hash = named(hash)
	p := t.part(hash)
	if p.taken == 0 {
		return
	}
	free := p.begin(hash)
	for p.places[free].hash != hash {
		if p.places[free].hash == 0 {
			return
		}
		free = p.behind(free)
	}
	p.taken--
	t.n--
	for i := p.behind(free); p.places[i].hash != 0; i = p.behind(i) {
		from := p.begin(p.places[i].hash)
		if p.ahead(from, free) <= p.ahead(from, i) {
			p.places[free], free = p.places[i], i
		}
	}
	p.places[free] = headPlace{}
}

// ahead is how many places i is ahead of from.
func (p *headPart) ahead(from, i int) int {
	if i < from {
		i += len(p.places)
	}
	return i - from
}

// expect makes room for so many streams in an empty table.
func (t *headTable) expect(streams int) {
	each := streams / len(t.parts)
	for i := range t.parts {
		t.parts[i].places = make([]headPlace, max(8, (each+each/16)*5/4+1))
	}
}
