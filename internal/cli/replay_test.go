//go:build linux

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplay: 0 if this program does what was recorded, 1 if it does something else, 2
// if the recording cannot be read to its end.
func TestReplay(t *testing.T) {
	t.Parallel()
	const file = "../recording/testdata/nak.rec"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		name, file string
		status     int
		out, err   string
	}{
		{"same", file, 0, "c0#1.2 say nak", ""},
		{"other", write("other", strings.ReplaceAll(string(b), `"HostName":"client"`, `"HostName":"guest"`)), 1, "differs here", "this program does something else"},
		{"cut", write("cut", string(b[:len(b)-5])), 2, "c0#1.2 say nak", "the line is cut short"},
		{"no recording", write("no", "hello\n"), 2, "", "line 1: it is no recording of lessee"},
		{"no file", filepath.Join(dir, "nothing"), 2, "", "no such file or directory"},
	} {
		r := run(t.Context(), nil, "replay", c.file)
		if r.status != c.status || !strings.Contains(r.out, c.out) || !strings.Contains(r.err, c.err) || (c.err == "") != (r.err == "") || strings.Contains(r.err, "usage") {
			t.Errorf("%s: status %d, stderr %q, stdout %q", c.name, r.status, r.err, r.out)
		}
	}
}
