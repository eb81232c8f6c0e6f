package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"carillon/actors"
	"carillon/engine"
	"carillon/httpapi"
)

type exportCmd struct {
	storeSettings
	Out string `default:"-" help:"File to write; - is standard output."`
}

// Run writes users as requests that make them anew.
func (c *exportCmd) Run(p *program) (err error) {
	store, err := c.open()
	if err != nil {
		return storageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return p.create(c.Out, func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 1<<20)
		err := actors.EachUser(store, func(u *engine.User) error {
			if !u.Exists {
				return nil
			}
			return httpapi.Export(buffered, u)
		})
		if err != nil {
			return storageError{err}
		}
		return buffered.Flush()
	})
}

type importCmd struct {
	settings
	URL     string `name:"url" help:"Import through a running engine at this address, with the key in CARILLON_API_KEY."`
	Workers int    `default:"8" help:"Batches under way at a time."`
	File    string `arg:"" default:"-" help:"NDJSON of {method, path, body}; - is standard input."`
}

// Run carries out the lines of a file, in batches. Lines of one user keep
// their order if they stand together. A line that is refused is reported and
// makes the command fail when the others are done.
func (c *importCmd) Run(ctx context.Context, p *program) (err error) {
	in, err := p.openInput(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	carry := func(ctx context.Context, lines []byte) ([]byte, error) {
		resp, err := p.request(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/v1/batch", bytes.NewReader(lines))
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		return io.ReadAll(resp.Body)
	}
	if c.URL == "" {
		v, err := p.quietService(&c.settings)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, v.stop()) }()
		carry = v.server.Carry
	}
	im := &importer{carry: carry, complain: p.stderr}
	if err := im.run(ctx, in, max(c.Workers, 1)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%d lines carried out, %d refused\n", im.done.Load(), im.refused.Load())
	if err == nil && im.refused.Load() > 0 {
		err = fmt.Errorf("%d lines were refused", im.refused.Load())
	}
	return err
}

// quietService is an engine on a store without a carrier and without a
// network: what is due during an import is left to the engine that serves.
func (p *program) quietService(s *settings) (*service, error) {
	s.Carrier = "none"
	if s.LogLevel == "info" {
		s.LogLevel = "warn"
	}
	v, err := p.newService(s)
	if err != nil {
		return nil, err
	}
	v.still = true
	return v, v.start("import")
}

// importer feeds lines to carry in batches, several at a time.
type importer struct {
	carry    func(ctx context.Context, lines []byte) ([]byte, error)
	complain io.Writer

	done, refused atomic.Int64
	mu            sync.Mutex
	failed        error
}

// chunk is some lines with their numbers in the file.
type chunk struct {
	numbers []int
	lines   []byte
}

// maxChunk is the size at which a chunk ends: a batch may be twice as large.
const maxChunk = 4 << 20

func (im *importer) run(ctx context.Context, in io.Reader, workers int) error {
	chunks := make(chan chunk)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for c := range chunks {
				if err := im.batch(ctx, c); err != nil {
					im.fail(err)
				}
			}
		})
	}
	err := im.read(in, chunks)
	close(chunks)
	wg.Wait()
	if err == nil {
		err = im.failure()
	}
	return err
}

func (im *importer) fail(err error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.failed == nil {
		im.failed = err
	}
}

func (im *importer) failure() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.failed
}

// maxLine is the longest line that is read.
const maxLine = 8 << 20

// read cuts the input into chunks, between users where it can.
func (im *importer) read(in io.Reader, chunks chan<- chunk) error {
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	var c chunk
	number := 0
	user := ""
	for sc.Scan() {
		number++
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		if err := im.failure(); err != nil {
			return err
		}
		next := userOf(sc.Bytes())
		held := len(c.numbers)
		full := held >= httpapi.MaxLines || (held >= httpapi.MaxLines/2 && next != user) || len(c.lines)+len(sc.Bytes()) > maxChunk
		if held > 0 && full {
			chunks <- c
			c = chunk{}
		}
		c.numbers = append(c.numbers, number)
		c.lines = append(append(c.lines, sc.Bytes()...), '\n')
		user = next
	}
	if len(c.numbers) > 0 {
		chunks <- c
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}

// userOf finds whose line it is well enough to keep a user's lines together.
func userOf(line []byte) string {
	_, rest, found := bytes.Cut(line, []byte("/v1/users/"))
	if !found {
		return ""
	}
	if end := bytes.IndexAny(rest, "/\"?"); end >= 0 {
		rest = rest[:end]
	}
	return string(rest)
}

func (im *importer) batch(ctx context.Context, c chunk) error {
	answers, err := im.carry(ctx, c.lines)
	if err != nil {
		return fmt.Errorf("lines from %d: %w", c.numbers[0], err)
	}
	at := 0
	for line := range bytes.Lines(answers) {
		if at == len(c.numbers) {
			return fmt.Errorf("lines from %d: more answers than lines", c.numbers[0])
		}
		number := c.numbers[at]
		at++
		var a struct {
			Status int
			Body   struct{ Code, Field, Detail string }
		}
		if err := json.Unmarshal(line, &a); err != nil {
			return fmt.Errorf("line %d: unreadable answer: %w", number, err)
		}
		if a.Status < 300 {
			im.done.Add(1)
		} else {
			im.refused.Add(1)
			im.mu.Lock()
			_, _ = fmt.Fprintf(im.complain, "line %d: %d %s %s %s\n", number, a.Status, a.Body.Code, a.Body.Field, a.Body.Detail)
			im.mu.Unlock()
		}
	}
	if at < len(c.numbers) {
		return fmt.Errorf("line %d: no answer", c.numbers[at])
	}
	return nil
}
