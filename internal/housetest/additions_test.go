package housetest

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A change is a copy of the tree with something added by hand.
type change struct {
	t       *testing.T
	dir     string
	files   []file
	touched []string
}

// copied copies the tree.
func copied(t *testing.T) *change {
	t.Helper()
	c := &change{t: t, dir: t.TempDir(), files: tree(t)}
	for _, f := range c.files {
		c.write(f.path, f.text)
	}
	return c
}

func (c *change) write(name, text string) {
	c.t.Helper()
	to := filepath.Join(c.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// with returns the one Go file, other than a test, that has the text.
func (c *change) with(text string) string {
	c.t.Helper()
	var found []string
	for _, f := range c.files {
		if f.isGo() && !f.isTest() && strings.Contains(f.text, text) {
			found = append(found, f.path)
		}
	}
	if len(found) != 1 {
		c.t.Fatalf("%q is in %q", text, found)
	}
	return found[0]
}

// add writes lines before the one line of a file that has the text.
func (c *change) add(name, before, lines string) {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	text := string(b)
	if n := strings.Count(text, before); n != 1 {
		c.t.Fatalf("%s has %q %d times", name, before, n)
	}
	at := strings.LastIndexByte(text[:strings.Index(text, before)], '\n') + 1
	c.write(name, text[:at]+lines+text[at:])
	if !slices.Contains(c.touched, name) {
		c.touched = append(c.touched, name)
	}
}

// most checks how many files were touched since the last call.
func (c *change) most(what string, n int) {
	c.t.Helper()
	if len(c.touched) > n {
		c.t.Errorf("%s touches %d files, and may touch %d: %q", what, len(c.touched), n, c.touched)
	}
	c.touched = nil
}

func (c *change) run(args ...string) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "go", args...)
	cmd.Dir = c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// An event is added by its row, its constant in the API and its word in each
// other language; a reason of errors by its row and its words; an option by its row, its word, its documentation and, where
// its value is of a form of its own, a decoder. Nothing else has to know of
// them: log, journal, stream, counters, records, API and command line do.
func TestAdditionsHaveOnePlace(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a copy of the tree")
	}
	c := copied(t)
	french := c.with(`"event|lost":`)

	c.add("internal/event/table.go", "kinds // their number", "\tFrozen // the lease of Address is frozen\n")
	c.add("internal/event/table.go", "\tManaged: ", `	Frozen: {Name: "frozen", Level: Warn, Text: "lease frozen", Stream: "frozen", Fact: "frozen", Subject: OfLease, Counter: "event.frozen", Tone: Bad},
`)
	c.add("eventkind.go", "// EventLost says", "\t// EventFrozen says that the lease is frozen.\n\tEventFrozen EventKind = \"frozen\"\n")
	c.add(french, `"event|lost":`, "\t\t\"event|frozen\": \"gelé\",\n")
	c.most("an event", 3)

	c.add("reason/reason.go", `= "no-offers"`, "\tNoMoon Reason = \"no-moon\" // the moon is down\n")
	c.add("reason/reason.go", "{NoOffers, ", "\t{NoMoon, fields(FieldTimeout), nil},\n")
	c.add("internal/words/english.go", "reason.NoOffers:", "\t\treason.NoMoon: {Detail: \"no moon in {timeout}\"},\n")
	c.add(path.Dir(french)+"/french_reasons.go", "reason.NoOffers:", "\t\treason.NoMoon: {Detail: \"pas de lune en {timeout}\"},\n")
	c.most("a reason of errors", 3)
	c.run("test", "./reason", "-update") // its row in the documentation

	label := c.with("\t\t\"ntp\": ")
	c.add("internal/option/table.go", `json:"ntp,`, "\tSMTP []netip.Addr `json:\"smtp,omitempty\"` // mail servers (option 69)\n")
	c.add("internal/option/table.go", `{Name: "pad"}`, `	69: {
		Name: "SMTP servers", Use: HandedOn, JSON: "smtp", Label: "smtp", Record: "smtp",
		Doc: "Mail servers (option 69).", AddrsField: func(s *Servers) *[]netip.Addr { return &s.SMTP },
	},
`)
	c.add(label, "\t\t\"ntp\": ", "\t\t\"smtp\": \"smtp\",\n")
	c.add("docs/api.md", "| `ntp` | 42 |", "| `smtp` | 69 | mail servers |\n")
	c.most("an option of a usual form", 3)

	c.add("internal/option/table.go", `json:"wpad,`, "\tLoST names.Domain `json:\"lost,omitzero\"` // the LoST server (option 137, RFC 5223)\n")
	c.add("internal/option/table.go", `{Name: "pad"}`, `	137: {
		Name: "LoST server", Use: HandedOn, JSON: "lost", Label: "lost server", Record: "lost",
		Doc: "The LoST server (option 137).", TextField: func(t *Texts) Text { return &t.LoST },
	},
`)
	c.add("dhcp4/extras.go", "case wire.OptionTimeOffset:", `	case 137:
		if list, err := wire.ParseDomainSearch(v); err == nil {
			e.LoST = list[0]
		}
		return !e.LoST.IsZero()
`)
	c.add(label, "\t\t\"ntp\": ", "\t\t\"lost server\": \"serveur LoST\",\n")
	c.add("docs/api.md", "| `ntp` | 42 |", "| `lost` | 137 | the LoST server |\n")
	c.most("an option with a decoder", 4)

	// What then happens with them.
	records := path.Dir(c.with("func encodeExtras("))
	c.write("dhcp4/added_test.go", addedToDHCP4)
	c.write("internal/driver/added_test.go", addedToDriver)
	c.write("internal/cli/added_test.go", addedToCLI)
	c.write(records+"/added_test.go", strings.Replace(addedToRecords, "package records", "package "+path.Base(records), 1))
	c.run("build", "./...")
	c.run("test", "-short", ".", "./dhcp4", "./wire/...", "./internal/event", "./internal/option", "./internal/tenancy/...", "./internal/core", "./internal/driver",
		"./internal/control", "./internal/cli", "./internal/housetest", "./reason", "./internal/words", "./"+path.Dir(french))
	c.run("test", "-short", "-run", "Added|Extras|Form", "./"+records)
}

const addedToDHCP4 = `package dhcp4

import (
	"net/netip"
	"testing"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

func TestAdded(t *testing.T) {
	l := leaseWith(t, func(b *wire.Builder) {
		b.AddAddr(69, netip.MustParseAddr("10.77.0.25"))
		b.AddOption(137, []byte("\x04lost\x04test\x00"))
	})
	if len(l.More.SMTP) != 1 || l.More.LoST.String() != "lost.test" || len(l.More.Other) > 0 || wire.OptionCode(69).String() != "SMTP servers" {
		t.Errorf("%+v", l.More)
	}
}
`

const addedToDriver = `package driver

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

func TestAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld()
		d := New(Config{Home: w.home, Store: w, Now: w.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
		events, cancel := d.hub.subscribe()
		defer cancel()
		l := everything()
		l.More.SMTP = []netip.Addr{netip.MustParseAddr("10.77.0.25")}
		parse(&l.More.LoST, "lost.test")
		n := v4.Note{Kind: event.Frozen, Lease: l}
		d.say(netconf.Link{}, n)
		var journal event.Journal
		var tally event.Tally
		tally.Count(n.Kind)
		journal.Add(0, core.EntryOf(n))
		if e := <-events; e.Kind != lessee.EventFrozen || e.Address != l.Address {
			t.Errorf("%+v", e)
		}
		if !strings.Contains(log.String(), "level=WARN msg=\"lease frozen\"") {
			t.Errorf("%s", log.String())
		}
		if f := event.Tell(&journal, event.Present{}).Facts; len(f) != 1 || f[0].Code != "frozen" || f[0].Address != l.Address.Addr() {
			t.Errorf("%+v", f)
		}
		counters := map[string]uint64{}
		for name, n := range tally.All() {
			counters[name] = n
		}
		if counters["event.frozen"] != 1 {
			t.Errorf("%v", counters)
		}
		var v lessee.IPv4
		d.describeLease(&v, l)
		text, err := json.Marshal(v)
		if err != nil || !strings.Contains(string(text), ` + "`\"smtp\":[\"10.77.0.25\"]`" + `) || !strings.Contains(string(text), ` + "`\"lost\":\"lost.test\"`" + `) {
			t.Errorf("%s, %v", text, err)
		}
	})
}
`

const addedToCLI = `//go:build linux

package cli

import (
	"strings"
	"testing"

	"github.com/lessee/lessee"
)

func TestAdded(t *testing.T) {
	speak := englishSpeaker()
	if got := speak.kind(lessee.EventFrozen); got != "frozen" {
		t.Errorf("%q", got)
	}
	fact := lessee.Fact{Code: "frozen", Address: addr4("10.0.0.9"), Server: addr4("10.0.0.1")}
	if got := speak.factText(fact, "eth0", now, now); got != "frozen 10.0.0.9 from 10.0.0.1" {
		t.Errorf("%q", got)
	}
	full := bound()
	full.IPv4.SMTP = full.IPv4.DNS
	if err := full.IPv4.LoST.UnmarshalText([]byte("lost.test")); err != nil {
		t.Fatal(err)
	}
	socket := serve(t, &engine{adapters: []lessee.Adapter{full}})
	r := run(t.Context(), nil, "--socket", socket, "show", full.Name)
	for _, want := range []string{"\nsmtp ", "\nlost server "} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %s%s", want, r.out, r.err)
		}
	}
}
`

const addedToRecords = `package records

import (
	"net/netip"
	"testing"
)

func TestAdded(t *testing.T) {
	e := extrasOf()
	e.SMTP = []netip.Addr{netip.MustParseAddr("10.77.0.25")}
	set(&e.LoST, "lost.test")
	f := encodeExtras(e)
	if err := f.check(); err != nil {
		t.Error(err)
	}
	if back := f.decode(); len(back.SMTP) != 1 || back.LoST != e.LoST {
		t.Errorf("%+v", back)
	}
	f.SMTP[0] = netip.IPv6LinkLocalAllNodes()
	if f.check() == nil {
		t.Error("an IPv6 address is stored")
	}
}
`
