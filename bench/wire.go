package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
)

// wire is one connection of a load generator that must cost less than what it
// measures: requests are bytes, and of an answer only status and length are
// read.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte // of the answer
	room []byte // for a request's body
}

func dial(address string) (*wire, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: c, in: bufio.NewReaderSize(c, 16<<10)}, nil
}

// dialAll makes a connection for each caller; close closes them.
func dialAll(address string, callers int) (all []*wire, closeAll func(), err error) {
	closeAll = func() {
		for _, w := range all {
			_ = w.conn.Close()
		}
	}
	for range callers {
		w, err := dial(address)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		all = append(all, w)
	}
	return all, closeAll, nil
}

// request begins a request in the connection's buffer.
func (w *wire) request(method, path, contentType string) {
	w.out = append(append(append(append(w.out[:0], method...), ' '), path...), " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bench\r\nContent-Type: "...)
	w.out = append(append(w.out, contentType...), "\r\n"...)
}

func (w *wire) header(name, value string) {
	w.out = append(append(append(append(w.out, name...), ": "...), value...), "\r\n"...)
}

// send ends the request with its body, waits for the answer, and returns its
// body, which is the connection's until the next one. Another answer than a
// 2xx is an error.
func (w *wire) send(body []byte) ([]byte, error) {
	w.out = strconv.AppendInt(append(w.out, "Content-Length: "...), int64(len(body)), 10)
	w.out = append(append(w.out, "\r\n\r\n"...), body...)
	if _, err := w.conn.Write(w.out); err != nil {
		return nil, err
	}
	status, length := 0, 0
	for first := true; ; first = false {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first && len(line) > 12 {
			status, _ = strconv.Atoi(string(line[9:12]))
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(v))
		}
		if len(line) == 0 {
			break
		}
	}
	if cap(w.body) < length {
		w.body = make([]byte, length)
	}
	w.body = w.body[:length]
	if _, err := io.ReadFull(w.in, w.body); err != nil {
		return nil, err
	}
	if status < 200 || status > 299 {
		return nil, fmt.Errorf("bench: answered %d %.200s", status, w.body)
	}
	return w.body, nil
}
