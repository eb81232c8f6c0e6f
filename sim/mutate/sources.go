package main

import (
	"io/fs"
	"strings"
)

// sources is a file system without what a build does not need.
type sources struct{ fs.FS }

// ReadDir implements fs.ReadDirFS.
func (s sources) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(s.FS, name)
	if err != nil {
		return nil, err
	}
	var out []fs.DirEntry
	for _, e := range all {
		left := strings.HasPrefix(e.Name(), ".") || e.Name() == "bin" || e.Name() == "data" || strings.HasSuffix(e.Name(), "_test.go")
		if !left && (e.IsDir() || e.Type().IsRegular()) {
			out = append(out, e)
		}
	}
	return out, nil
}
