package bench

import (
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// coolDown takes a folder's files out of the page cache and returns the share
// of them that is still in it. Other programs' files stay where they are.
func coolDown(dir string) (cached float64, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return 0, err
	}
	var in, all float64
	for _, path := range paths {
		i, n, err := coolFile(path)
		if err != nil {
			return 0, err
		}
		in, all = in+i, all+n
	}
	return in / max(all, 1), nil
}

// coolFile writes what is dirty, lets the pages go, and counts those that
// stayed.
func coolFile(path string) (in, all float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil {
		return 0, 0, err
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return 0, 0, err
	}
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 {
		return 0, 0, err
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = unix.Munmap(mapped) }()
	pages := make([]byte, (len(mapped)+os.Getpagesize()-1)/os.Getpagesize())
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		return 0, 0, errno
	}
	for _, p := range pages {
		in += float64(p & 1)
	}
	return in, float64(len(pages)), nil
}
