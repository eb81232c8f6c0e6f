//go:build !linux

package wal

// FreeBytes is not known here: the disk is taken to be large.
func FreeBytes(string) (free, total uint64, err error) { return 1 << 60, 1 << 60, nil }
