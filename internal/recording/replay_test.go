package recording

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lessee/lessee/internal/golden"
)

// recordings are those in testdata, by name. They were made on real interfaces, by
// TestRecording of the package test with LESSEE_RECORDINGS=DIR.
func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.rec"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	all := make(map[string][]byte, len(files))
	for _, f := range files {
		if all[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// replay returns the transcript of a recording.
func replay(text []byte) (string, Outcome, error) {
	var out strings.Builder
	o, err := Replay(bytes.NewReader(text), &out)
	return out.String(), o, err
}

// TestReplay plays what happened to users and in tests: the transcript is the one in the
// file beside the recording.
func TestReplay(t *testing.T) {
	t.Parallel()
	for name, text := range recordings(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			got, _, err := replay(text)
			if err != nil {
				t.Error(err)
			}
			if again, _, _ := replay(text); again != got {
				t.Errorf("the second time (-first +second):\n%s", cmp.Diff(got, again))
			}
			golden.Check(t, strings.TrimSuffix(filepath.Base(name), ".rec")+".txt", got)
		})
	}
}

// without returns a text without the lines that contain something.
func without(text, what string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, what) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestDifferences changes a recording as another program would have made it.
func TestDifferences(t *testing.T) {
	t.Parallel()
	text := string(recordings(t)[filepath.Join("testdata", "expiry.rec")])
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a call is missing", without(text, `{"ask":"Resolve"`), []string{"differs here: recorded nothing, now c0#1.2 resolve by [10.77.0.1]"}},
		{
			"a call is different", strings.ReplaceAll(text, `"HostName":"client"`, `"HostName":"guest"`),
			[]string{"differs here: c0#1.2 send DISCOVER", `recorded with "Message":"01`, `now with "Message":"01`},
		},
		{"another call", strings.Replace(text, `{"ask":"Open"`, `{"ask":"Desist"`, 1), []string{"differs here: recorded nothing, now c0#1.2 open", "differs here: recorded c0#1.2 desist, now nothing"}},
		{
			"another answer", strings.Replace(text, `"Extent":2}`, `"Err":{"Text":"file exists"}}`, 1),
			[]string{"apply 10.77.0.100/24", "-> file exists", "differs here: recorded c0#1.2 say bound 10.77.0.100/24 server 10.77.0.1, now c0#1.2 say problem"},
		},
		{"no timeouts", without(text, `"in":"Timeout"`), []string{"say state renewing", "differs here: recorded nothing, now a timeout is due since"}},
		{
			"too many timeouts", strings.Replace(text, `{"end"`, `{"at":"1000h0m0s","in":"Timeout","what":{}}`+"\n"+`{"at":"1000h0m0s","in":"Timeout","what":{}}`+"\n"+`{"end"`, 1),
			[]string{"differs here: recorded timeout, now the next is due at"},
		},
		{"no lease", without(text, `{"ask":"Tenancy"`), []string{"differs here: recorded nothing, now c0 configure", "send DISCOVER"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.text == text {
				t.Fatal("nothing was changed")
			}
			got, o, err := replay([]byte(c.text))
			if err != nil || o.Differences == 0 || o.Differences != strings.Count(got, "differs here") {
				t.Errorf("%d differences, %v", o.Differences, err)
			}
			rest := got
			for _, w := range c.want {
				_, after, found := strings.Cut(rest, w)
				if !found {
					t.Fatalf("%q is missing, or not in this order, in\n%s", w, got)
				}
				rest = after
			}
		})
	}
}

// TestDamagedRecordings: what is no recording, or not all of one, is an error with its
// line; what comes before is played.
func TestDamagedRecordings(t *testing.T) {
	t.Parallel()
	text := string(recordings(t)[filepath.Join("testdata", "nak.rec")])
	head, rest, _ := strings.Cut(text, "\n")
	head += "\n"
	for _, c := range []struct {
		name, text string
		want       error // of the package; nil: any
		line       int
	}{
		{"empty", "", errEmpty, 1},
		{"something else", "PK\x03\x04\n", nil, 1},
		{"other JSON", "{}\n", nil, 1},
		{"newer", strings.Replace(text, `"lessee-recording":1`, `"lessee-recording":2`, 1), errUnknown, 1},
		{"newer input", head + `{"at":"1s","in":"Quake","what":{}}` + "\n", errUnknown, 2},
		{"newer call", head + `{"at":"1s","in":"Timeout","what":{}}` + "\n" + `{"ask":"Dance","what":{}}` + "\n", errUnknown, 3},
		{"newer field", head + `{"at":"1s","in":"Timeout","what":{"Why":1}}` + "\n", errUnknown, 2},
		{"no end", without(text, `"end"`), errNoEnd, strings.Count(text, "\n") - 1},
		{"after the end", text + rest, errAfter, strings.Count(text, "\n") + 1},
		{"a call first", head + `{"ask":"Open","what":{}}` + "\n", errBefore, 2},
		{"the clock", head + `{"at":"2s","in":"Timeout","what":{}}` + "\n" + `{"at":"1s","in":"Timeout","what":{}}` + "\n", errClock, 3},
		{"no time", head + `{"in":"Timeout","what":{}}` + "\n", nil, 2},
		{"no fields", head + `{"at":"1s","in":"Timeout"}` + "\n", errNoForm, 2},
		{"nothing", head + "{}\n", errNoForm, 2},
		{"a long line", head + strings.Repeat("x", maxLine+1) + "\n", errLong, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := replay([]byte(c.text))
			e, is := errors.AsType[*Error](err)
			if !is || e.Line != c.line || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	for i := len(head) + 1; i < len(text); i += 101 {
		if _, o, err := replay([]byte(text[:i])); !errors.Is(err, errCut) && !errors.Is(err, errNoEnd) || o.Differences > 0 {
			t.Fatalf("cut at %d of %d: %v, %v", i, len(text), o, err)
		}
	}
}

// TestPanic: a core that fails when it plays a recording is an error, too.
func TestPanic(t *testing.T) {
	t.Parallel()
	err := guard(7, func() error { panic("trouble") })
	p, is := errors.AsType[*PanicError](err)
	if !is || err.Error() != "line 7: the core failed: trouble" || len(p.Stack) == 0 {
		t.Errorf("got %v", err)
	}
	if err := guard(7, func() error { panic(errLivelock) }); !errors.Is(err, errLivelock) {
		t.Errorf("got %v", err)
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTranscriptCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, text := range recordings(t) {
		if _, err := Replay(bytes.NewReader(text), closedPipe{}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v", err)
		}
	}
}

// FuzzReplay plays anything.
func FuzzReplay(f *testing.F) {
	for _, text := range recordings(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, o, err := replay(text)
		if _, is := errors.AsType[*Error](err); err != nil && !is {
			t.Errorf("%v, %v", o, err)
		}
		if failed, is := errors.AsType[*PanicError](err); is {
			t.Errorf("%v\n%s", failed, failed.Stack)
		}
	})
}
