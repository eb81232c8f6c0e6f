//go:build linux

package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// disk is a small file system of our own.
type disk struct{ dir string }

// mountDisk mounts a tmpfs of that size.
func mountDisk(dir string, bytes int64) (*disk, error) {
	if !isolated() {
		return nil, errors.New("no mount namespace: " + os.Getenv(roleIsolated))
	}
	if err := syscall.Mount("carillon", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		return nil, fmt.Errorf("mount: %w", err)
	}
	return &disk{dir}, nil
}

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill leaves that many bytes free.
func (d *disk) fill(leave int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil {
		return err
	}
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	take := int64(st.Bavail)*st.Bsize - leave
	for take > 0 {
		err := syscall.Fallocate(int(f.Fd()), 0, 0, take)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		take -= st.Bsize // carillon took some meanwhile
	}
	return nil
}

// empty gives the room back.
func (d *disk) empty() { _ = os.Remove(d.filler()) }

// unmount ends it, even if somebody still has a file open.
func (d *disk) unmount() { _ = syscall.Unmount(d.dir, syscall.MNT_DETACH) }

// setLimit changes the soft limit of a running process, and returns what it
// was. The hard one stays.
func setLimit(pid, resource int, to uint64) (was uint64, err error) {
	var limit syscall.Rlimit
	if err := prlimit(pid, resource, nil, &limit); err != nil {
		return 0, err
	}
	was, limit.Cur = limit.Cur, min(to, limit.Max)
	return was, prlimit(pid, resource, &limit, nil)
}

func prlimit(pid, resource int, set, get *syscall.Rlimit) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0) //nolint:gosec // the system call takes addresses
	if errno != 0 {
		return errno
	}
	return nil
}

// memory is a memory cgroup of our own.
type memory struct{ dir, procs, limit string }

// newMemory makes a cgroup, of version 1 or 2.
func newMemory() (*memory, error) {
	var errs []error
	for _, m := range []memory{
		{"/sys/fs/cgroup/memory", "cgroup.procs", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "cgroup.procs", "memory.max"},
	} {
		parent := m.dir
		var err error
		if m.dir, err = os.MkdirTemp(parent, mark()); err != nil {
			errs = append(errs, err)
			continue
		}
		if _, err := os.Stat(filepath.Join(m.dir, m.limit)); err == nil {
			return &m, nil
		}
		m.remove()
		errs = append(errs, fmt.Errorf("%s has no %s", m.dir, m.limit))
	}
	return nil, errors.Join(append(errs, errors.New("no memory cgroup can be made"))...)
}

// starve moves a process in, with no room for another page: the kernel kills
// it when it needs one.
func (m *memory) starve(pid int) error {
	return errors.Join(
		os.WriteFile(filepath.Join(m.dir, m.limit), []byte("0"), 0o600),
		os.WriteFile(filepath.Join(m.dir, m.procs), []byte(strconv.Itoa(pid)), 0o600),
	)
}

// kills is how often the kernel found no memory.
func (m *memory) kills() int {
	for _, file := range []string{"memory.oom_control", "memory.events"} {
		text, _ := os.ReadFile(filepath.Join(m.dir, file))
		for row := range strings.Lines(string(text)) {
			if n, ok := strings.CutPrefix(row, "oom_kill "); ok {
				count, _ := strconv.Atoi(strings.TrimSpace(n))
				return count
			}
		}
	}
	return 0
}

// remove takes the cgroup away, which needs its last process to be gone.
func (m *memory) remove() {
	for range 50 {
		if err := os.Remove(m.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(20 * time.Millisecond) // the kernel tells nobody
	}
}
