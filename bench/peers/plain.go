package main

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// plainPeer appends records to a file and flushes all that wait at once: group
// commit, and nothing else.
type plainPeer struct {
	file *os.File

	mu      sync.Mutex
	buffer  []byte
	waiting chan struct{} // closed when what is in the buffer is flushed
	wake    chan struct{}

	jobs     []job
	recorded atomic.Int64
}

const plainRecord = 300 // bytes: the payload and what a log adds

func (p *plainPeer) start(dir string, _ int) (err error) {
	if p.file, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return err
	}
	p.waiting, p.wake = make(chan struct{}), make(chan struct{}, 1)
	go p.flush()
	return nil
}

// flush writes and flushes while there is something; what comes meanwhile is
// the next batch.
func (p *plainPeer) flush() {
	var spare []byte
	for range p.wake {
		p.mu.Lock()
		batch, told := p.buffer, p.waiting
		p.buffer, p.waiting = spare[:0], make(chan struct{})
		p.mu.Unlock()
		if len(batch) > 0 {
			if _, err := p.file.Write(batch); err != nil {
				panic(err)
			}
			if err := syscall.Fdatasync(int(p.file.Fd())); err != nil {
				panic(err)
			}
		}
		close(told)
		spare = batch
	}
}

func (p *plainPeer) append(payload []byte) {
	var pad [plainRecord]byte
	p.mu.Lock()
	p.buffer = append(append(p.buffer, payload...), pad[:plainRecord-len(payload)]...)
	told := p.waiting
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	<-told
}

func (p *plainPeer) address() string          { return "" }
func (p *plainPeer) attach(string, int) error { return nil }
func (p *plainPeer) schedule(j job) error     { p.append(j.payload); return nil }
func (p *plainPeer) load(jobs []job) error    { p.jobs = append(p.jobs, jobs...); return nil }
func (p *plainPeer) settle() error            { return nil }
func (p *plainPeer) move(id int, due time.Time) error {
	p.append(newJob(id, due).payload)
	return nil
}
func (p *plainPeer) cancel(int) error   { p.append(nil); return nil }
func (p *plainPeer) done() (int, error) { return int(p.recorded.Load()), nil }
func (p *plainPeer) servers() []int     { return nil }
func (p *plainPeer) stop()              { _ = p.file.Close() }

// work appends a record before the handler is called and one after it.
func (p *plainPeer) work(handle func(id int) error) error {
	jobs := p.jobs
	go func() {
		<-time.After(time.Until(jobs[0].due))
		var wg sync.WaitGroup
		var next atomic.Int64
		for range 4096 {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(jobs) {
						return
					}
					p.append(jobs[i].payload)
					if handle(jobs[i].id) == nil {
						p.append(jobs[i].payload)
						p.recorded.Add(1)
					}
				}
			})
		}
		wg.Wait()
	}()
	return nil
}
