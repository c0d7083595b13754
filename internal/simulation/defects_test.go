package simulation

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A defect is a change of production code that the simulation has to find. It
// is compiled into a test binary of its own and is nowhere in the tree but in
// testdata/defects: a text of what it breaks, then the lines
//
//	file PATH, from the project's root
//	rule RULE, the one that is broken, or several with " | " between them
//	--- old
//	what the file has, exactly once
//	--- new
//	what stands there instead
type defect struct{ name, file, rule, before, after string }

func readDefects(t *testing.T) []defect {
	t.Helper()
	paths, err := filepath.Glob("testdata/defects/*.txt")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d defects found: %v", len(paths), err)
	}
	form := regexp.MustCompile(`(?s)^(?:[^\n]+\n)+?file ([^\n]+)\nrule ([^\n]+)\n--- old\n(.+)--- new\n(.*)$`)
	all := make([]defect, 0, len(paths))
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		m := form.FindStringSubmatch(string(b))
		if m == nil {
			t.Fatalf("%s has not the form of a defect", p)
		}
		all = append(all, defect{strings.TrimSuffix(filepath.Base(p), ".txt"), m[1], m[2], m[3], m[4]})
	}
	return all
}

// plant returns the file with the defect.
func (d defect) plant(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(d.file)))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte(d.before)); n != 1 {
		t.Fatalf("%s has the old text %d times, not once:\n%s", d.file, n, d.before)
	}
	return bytes.Replace(b, []byte(d.before), []byte(d.after), 1)
}

// Each defect is still a change of the code that there is.
func TestDefectsFit(t *testing.T) {
	t.Parallel()
	for _, d := range readDefects(t) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			if d.before == d.after || len(d.plant(t)) == 0 {
				t.Error("it changes nothing")
			}
		})
	}
}

// withinSeeds is how many seeds it may take to find a defect.
const withinSeeds = "3000"

// The simulation finds each of them.
func TestDefectsAreFound(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // each is a build of its own; TestDefectsFit has looked at them
	}
	failure := regexp.MustCompile(`seed \d+ at [^:]+: ([^:]+): .*`)
	for _, d := range readDefects(t) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			planted := filepath.Join(dir, "planted.go")
			if err := os.WriteFile(planted, d.plant(t), 0o600); err != nil {
				t.Fatal(err)
			}
			root, err := filepath.Abs(filepath.Join("..", ".."))
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
				filepath.Join(root, filepath.FromSlash(d.file)): planted,
			}})
			if err != nil {
				t.Fatal(err)
			}
			list := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(list, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", list, "-vet=off", "-count=1",
				"-run", "^TestSeeds$", ".", "-seeds="+withinSeeds)
			out, err := cmd.CombinedOutput()
			m := failure.FindStringSubmatch(string(out))
			switch {
			case err == nil:
				t.Fatalf("%s seeds do not find it", withinSeeds)
			case m == nil:
				t.Fatalf("%v\n%s", err, out)
			case !slices.Contains(strings.Split(d.rule, " | "), m[1]):
				t.Errorf("it broke %q, and was to break %q: %s", m[1], d.rule, m[0])
			}
			t.Logf("found: %s", m[0])
		})
	}
}
