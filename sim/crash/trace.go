package crash

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// happening is one thing that a traced process did, or began or ended to do.
//
//sumtype:decl
type happening interface{ happens() }

type (
	// wrote: bytes are on their way to a file from now on.
	wrote struct {
		call int
		file int
		off  int64
		data []byte
	}
	// resized: the file is to have another length.
	resized struct {
		call, file int
		size       int64
	}
	// renamed gives a file another name; made gives a new file its first one;
	// removed takes a name away.
	renamed struct {
		call     int
		from, to string
	}
	made struct {
		call, file int
		name       string
	}
	removed struct {
		call int
		name string
	}
	// flushing: a flush of the file, or of the folder (file 0), has begun.
	flushing struct{ call, file int }
	// ended: the call with that number has returned without an error.
	ended struct{ call int }
	// said: a line of the process on its standard output.
	said struct{ line string }
)

func (wrote) happens()    {}
func (resized) happens()  {}
func (renamed) happens()  {}
func (made) happens()     {}
func (removed) happens()  {}
func (flushing) happens() {}
func (ended) happens()    {}
func (said) happens()     {}

// tracedCalls is all by which a log can change a disk. mmap is not among them:
// bbolt maps for reading only.
const tracedCalls = "openat,pwrite64,write,fdatasync,fsync,ftruncate,/^rename,/^unlink,close"

// openedFile is what a file descriptor stands for.
type openedFile struct {
	file int // 0 is the folder
	pos  int64
}

// traceReader turns the output of strace into happenings of the files in one folder.
type traceReader struct {
	dir    string
	fds    map[int]*openedFile
	names  map[string]int // living name to file
	files  int
	calls  int
	open   map[string]pendingCall // by thread
	out    []happening
	failed []string
}

type pendingCall struct {
	name, args string
	call       int
}

// readTrace reads what strace wrote of a process that worked in dir.
func readTrace(r io.Reader, dir string) ([]happening, error) {
	t := &traceReader{dir: dir, fds: map[int]*openedFile{}, names: map[string]int{}, open: map[string]pendingCall{}}
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			if err := t.line(strings.TrimSuffix(line, "\n")); err != nil {
				return nil, err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(t.failed) > 0 {
		return nil, fmt.Errorf("a call of the traced process failed: %s", t.failed[0])
	}
	return t.out, nil
}

func (t *traceReader) line(line string) error {
	thread, rest, ok := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	if !ok || strings.HasPrefix(rest, "+++") || strings.HasPrefix(rest, "---") {
		return nil
	}
	if strings.HasPrefix(rest, "<... ") {
		c := t.open[thread]
		delete(t.open, thread)
		return t.end(c, result(rest))
	}
	name, args, ok := strings.Cut(rest, "(")
	if !ok {
		return fmt.Errorf("strace says %q", clip(line))
	}
	if name == "???" { // the process has ended before the kernel could say which call this thread was to make
		return nil
	}
	t.calls++
	c := pendingCall{name: name, args: args, call: t.calls}
	unfinished := strings.HasSuffix(args, "<unfinished ...>")
	if err := t.begin(c); err != nil {
		return fmt.Errorf("strace says %q: %w", clip(line), err)
	}
	if unfinished {
		t.open[thread] = c
		return nil
	}
	return t.end(c, result(rest))
}

// result is what stands behind the last equals sign.
func result(s string) string {
	i := strings.LastIndex(s, " = ")
	if i < 0 {
		return "?"
	}
	return s[i+3:]
}

func clip(s string) string { return s[:min(len(s), 120)] }

// begin is the entry of a call: from here on its effect may be on the disk.
func (t *traceReader) begin(c pendingCall) error {
	switch c.name {
	case "pwrite64", "write":
		return t.beginWrite(c)
	case "fdatasync", "fsync":
		if f := t.fds[leadingInt(c.args)]; f != nil {
			t.out = append(t.out, flushing{c.call, f.file})
		}
	case "ftruncate":
		if f := t.fds[leadingInt(c.args)]; f != nil {
			t.out = append(t.out, resized{c.call, f.file, int64(leadingInt(afterComma(c.args)))})
		}
	case "rename", "renameat", "renameat2":
		names := t.inDir(c.args)
		if len(names) == 2 {
			t.out = append(t.out, renamed{c.call, names[0], names[1]})
			t.names[names[1]] = t.names[names[0]]
			delete(t.names, names[0])
		}
	case "unlink", "unlinkat":
		if names := t.inDir(c.args); len(names) == 1 && t.names[names[0]] != 0 {
			t.out = append(t.out, removed{c.call, names[0]})
			delete(t.names, names[0])
		}
	case "close":
		delete(t.fds, leadingInt(c.args))
	}
	return nil
}

func (t *traceReader) beginWrite(c pendingCall) error {
	fd := leadingInt(c.args)
	f := t.fds[fd]
	if f == nil && fd != 1 {
		return nil
	}
	data, rest, err := unquote(c.args)
	if err != nil {
		return err
	}
	if f == nil {
		for line := range strings.Lines(string(data)) {
			t.out = append(t.out, said{strings.TrimSuffix(line, "\n")})
		}
		return nil
	}
	off := f.pos
	if c.name == "pwrite64" {
		i := strings.IndexByte(rest[1:], ',') // ", 4096, 8192"
		off = int64(leadingInt(rest[i+2:]))
	} else {
		f.pos += int64(len(data))
	}
	t.out = append(t.out, wrote{c.call, f.file, off, data})
	return nil
}

// end is the return of a call.
func (t *traceReader) end(c pendingCall, result string) error {
	failed := strings.HasPrefix(result, "-1") || strings.HasPrefix(result, "?")
	if c.name == "openat" {
		if !failed {
			t.opened(c, leadingInt(result))
		}
		return nil
	}
	if failed {
		if c.name != "unlinkat" && c.name != "write" && c.name != "close" {
			t.failed = append(t.failed, clip(c.name+"("+c.args)+" = "+result)
		}
		return nil
	}
	t.out = append(t.out, ended{c.call})
	return nil
}

// opened notes what a new descriptor stands for.
func (t *traceReader) opened(c pendingCall, fd int) {
	path, _, err := unquote(c.args)
	delete(t.fds, fd)
	if err != nil {
		return
	}
	if string(path) == t.dir {
		t.fds[fd] = &openedFile{}
		return
	}
	if filepath.Dir(string(path)) != t.dir || filepath.Base(string(path)) == "LOCK" {
		return
	}
	name := filepath.Base(string(path))
	if t.names[name] == 0 {
		t.files++
		t.names[name] = t.files
		t.out = append(t.out, made{c.call, t.files, name})
	}
	f := &openedFile{file: t.names[name]}
	if strings.Contains(c.args, "O_TRUNC") {
		t.out = append(t.out, resized{c.call, f.file, 0})
	}
	t.out = append(t.out, ended{c.call})
	t.fds[fd] = f
}

// inDir are the names in our folder that a call names.
func (t *traceReader) inDir(args string) (names []string) {
	for strings.Contains(args, `"`) {
		b, rest, err := unquote(args)
		if err != nil {
			return nil
		}
		if filepath.Dir(string(b)) == t.dir {
			names = append(names, filepath.Base(string(b)))
		}
		args = rest
	}
	return names
}

func leadingInt(s string) int {
	s = strings.TrimLeft(s, " ,")
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || n == 0 && s[n] == '-') {
		n++
	}
	v, err := strconv.Atoi(s[:n])
	if err != nil {
		return -1
	}
	return v
}

func afterComma(s string) string {
	_, rest, _ := strings.Cut(s, ",")
	return rest
}

// unquote decodes the first string of s, in which strace -xx wrote each byte in
// hexadecimal, and returns what stands behind it.
func unquote(s string) (b []byte, rest string, err error) {
	i := strings.IndexByte(s, '"')
	if i < 0 {
		return nil, "", fmt.Errorf("no string in %q", clip(s))
	}
	s = s[i+1:]
	end := strings.IndexByte(s, '"')
	if end < 0 || end%4 != 0 {
		return nil, "", fmt.Errorf("no end of string in %q", clip(s))
	}
	b = make([]byte, 0, end/4)
	for at := 0; at < end; at += 4 {
		hi, lo := hexDigit(s[at+2]), hexDigit(s[at+3])
		if s[at] != '\\' || s[at+1] != 'x' || hi < 0 || lo < 0 {
			return nil, "", fmt.Errorf("not hexadecimal: %q", clip(s[at:]))
		}
		b = append(b, byte(hi<<4|lo))
	}
	if strings.HasPrefix(s[end+1:], "...") {
		return nil, "", fmt.Errorf("strace has cut a string short")
	}
	return b, s[end+1:], nil
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
