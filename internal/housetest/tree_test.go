package housetest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A file is one text file of the project.
type file struct {
	// path is relative to the project's root, with slashes.
	path string
	text string
}

func (f file) lines() []string { return strings.Split(strings.TrimSuffix(f.text, "\n"), "\n") }

func (f file) isGo() bool { return strings.HasSuffix(f.path, ".go") }

func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f file) isMarkdown() bool { return strings.HasSuffix(f.path, ".md") }

// isGenerated follows the convention of https://go.dev/s/generatedcode.
func (f file) isGenerated() bool {
	for _, l := range f.lines() {
		if strings.HasPrefix(l, "// Code generated ") && strings.HasSuffix(l, " DO NOT EDIT.") {
			return true
		}
	}
	return false
}

// root returns the project's root directory.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = up
	}
}

var readTree = sync.OnceValues(func() ([]file, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir = filepath.Dir(filepath.Dir(dir)) // internal/housetest
	var files []file
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // an editor's file, gone meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && (rel == ".git" || rel == "build"):
			return filepath.SkipDir
		case !d.Type().IsRegular(), rel == "lessee", rel == ".git": // a worktree has a file of that name
			return nil
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if bytes.IndexByte(b, 0) < 0 {
			files = append(files, file{rel, string(b)})
		}
		return nil
	})
	return files, err
})

// tree returns the text files of the project, but for what git keeps and what is built.
func tree(t *testing.T) []file {
	t.Helper()
	files, err := readTree()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d files found: not the project's tree", len(files))
	}
	return files
}

// find returns the file of that path.
func find(t *testing.T, path string) file {
	t.Helper()
	for _, f := range tree(t) {
		if f.path == path {
			return f
		}
	}
	t.Fatalf("%s is missing", path)
	return file{}
}
