package test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/lessee/lessee/test/lab"
)

// A damage is what became of a record while no daemon ran.
type damage struct {
	name string
	// to returns what is left of a record's text; nil: there is a folder in its place.
	to func(text []byte) []byte
}

// damages are those after which a file is no record.
func damages(length int) []damage {
	list := []damage{
		{"empty", func([]byte) []byte { return []byte{} }},
		{"garbage", func([]byte) []byte { return []byte("\x00\x01\xff{]") }},
		{"zeros", func(text []byte) []byte { return make([]byte, len(text)) }},
		{"folder", func([]byte) []byte { return nil }},
		{"newer version", func(text []byte) []byte {
			return regexp.MustCompile(`^{"version":\d+`).ReplaceAll(text, []byte(`{"version":9999`))
		}},
		{"wrong checksum", func(text []byte) []byte {
			return bytes.Replace(text, []byte(`"10.77.0.100/24"`), []byte(`"10.77.0.101/24"`), 1)
		}},
	}
	const cuts = 20 // internal/leases cuts at every byte
	for i := 1; i < cuts; i++ {
		n := length * i / cuts
		list = append(list,
			damage{fmt.Sprintf("cut after %d bytes", n), func(text []byte) []byte { return text[:n:n] }},
			damage{fmt.Sprintf("zeros after %d bytes", n), func(text []byte) []byte {
				return append(slices.Clone(text[:n]), make([]byte, len(text)-n)...)
			}})
	}
	return list
}

// copies returns the files of the two copies of the record of c0.
func copies(d *lab.Daemon) (run, state string) {
	return filepath.Join(d.Run, "leases", "c0.json"), filepath.Join(d.State, "c0.json")
}

// TestDamagedRecords checks that a file that is no record is set aside, counted
// and reported once, and does not keep the daemon from its work: the other copy
// counts, and where there is none, the server is asked.
func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"run", "state", "both"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			v, client := newVillain(t)
			newLedger(v)
			start := func() *lab.Daemon {
				return client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
			}
			d := start()
			lease := d.AwaitBound(t, "c0").IPv4.Address
			awaitPersisted(t, d)
			run, state := copies(d)
			files := map[string][]string{"run": {run}, "state": {state}, "both": {run, state}}[where]
			text, err := os.ReadFile(run)
			if err != nil {
				t.Fatal(err)
			}
			for _, dam := range damages(len(text)) {
				d.Crash()
				for _, f := range files {
					apply(t, f, dam)
				}
				v.forget()
				last := d
				d = start()
				now := d.AwaitBound(t, "c0").IPv4
				if got := client.Addresses("c0"); now.Address != lease || len(got) != 1 || got[0].Prefix != lease {
					t.Errorf("%s: the lease is %v, the addresses are %v", dam.name, now.Address, got)
				}
				if n := now.Counters["records.unreadable"]; int(n) != min(len(files), 1) {
					t.Errorf("%s: %d records were set aside", dam.name, n)
				}
				if sent := v.latest(); (sent != nil) != (where == "both") {
					t.Errorf("%s: sent: %v", dam.name, sent)
				}
				d.Must(t, "renew", "c0") // it writes both copies
				awaitPersisted(t, d)
				for _, f := range files {
					checkAside(t, f, dam, text, d)
				}
				if t.Failed() {
					return
				}
				last.Forget()
			}
		})
	}
}

// apply damages a record.
func apply(t *testing.T, file string, dam damage) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.Remove(file)
	}
	if err == nil {
		if left := dam.to(text); left == nil {
			err = os.Mkdir(file, 0o755)
		} else {
			err = os.WriteFile(file, left, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// checkAside checks what was set aside, and removes it.
func checkAside(t *testing.T, file string, dam damage, text []byte, d *lab.Daemon) {
	t.Helper()
	said := d.Lines.Select(0, func(line string) bool { return contains(line, file) })
	if len(said) != 1 {
		t.Errorf("%s: the log says of %s: %q", dam.name, file, said)
	}
	aside, err := filepath.Glob(file + "?*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("%s: set aside: %v %v", dam.name, aside, err)
	}
	// The records differ in times only, whose lengths vary.
	if st, err := os.Stat(aside[0]); err != nil || st.IsDir() != (dam.to(text) == nil) {
		t.Errorf("%s: set aside: %v %v", dam.name, st, err)
	}
	if err := os.RemoveAll(aside[0]); err != nil {
		t.Error(err)
	}
}

// TestCopiesDiffer checks which copy of a record counts where they differ, and
// that both are the same afterwards.
func TestCopiesDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// to changes the copies of the record; those from before the change of the
		// address are older.
		to func(run, state, older []byte) (newRun, newState []byte)
		// asks is how the daemon asks the server; "" if it does not.
		asks string
	}{
		{"the second is older", func(run, _, older []byte) ([]byte, []byte) { return run, older }, ""},
		{"the first could not be written", func(_, state, older []byte) ([]byte, []byte) { return older, state }, ""},
		{"the second is not there", func(run, _, _ []byte) ([]byte, []byte) { return run, nil }, ""},
		{"the first is not there", func(_, state, _ []byte) ([]byte, []byte) { return nil, state }, ""},
		{"the first is of another boot", func(run, state, _ []byte) ([]byte, []byte) { return ofAnotherBoot(run), state }, ""},
		{"both are of another boot", func(run, state, _ []byte) ([]byte, []byte) {
			return ofAnotherBoot(run), ofAnotherBoot(state)
		}, "rebooting"},
		{"the second is of another boot and is alone", func(_, state, _ []byte) ([]byte, []byte) {
			return nil, ofAnotherBoot(state)
		}, "rebooting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, client := newVillain(t)
			l := newLedger(v)
			d := client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
			d.AwaitBound(t, "c0")
			awaitPersisted(t, d)
			runFile, stateFile := copies(d)
			older, err := os.ReadFile(runFile)
			if err != nil {
				t.Fatal(err)
			}
			l.renumber()
			d.Must(t, "renew", "c0")
			lease := d.AwaitBound(t, "c0").IPv4.Address
			awaitPersisted(t, d)
			d.Crash()
			run, err1 := os.ReadFile(runFile)
			state, err2 := os.ReadFile(stateFile)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			run, state = c.to(run, state, older)
			replace(t, runFile, run)
			replace(t, stateFile, state)
			if c.asks != "" { // a reboot leaves no address
				client.Run(t, "ip", "addr", "flush", "dev", "c0", "scope", "global")
			}
			v.forget()
			d = client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
			now := d.AwaitBound(t, "c0").IPv4
			if got := client.Addresses("c0"); now.Address != lease || len(got) != 1 || got[0].Prefix != lease {
				t.Errorf("the lease was %v and is %v, the addresses are %v", lease, now.Address, got)
			}
			if sent := v.latest(); (sent != nil) != (c.asks != "") || sent != nil && sent.state() != c.asks {
				t.Errorf("sent: %v", sent)
			}
			if n := now.Counters["records.unreadable"]; n != 0 {
				t.Errorf("%d records could not be used", n)
			}
			d.Must(t, "renew", "c0") // it writes both copies
			awaitPersisted(t, d)
		})
	}
}

func replace(t *testing.T, file string, text []byte) {
	t.Helper()
	err := os.Remove(file)
	if text != nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ofAnotherBoot returns a record that was written in another boot, and is whole.
func ofAnotherBoot(text []byte) []byte {
	head, body, _ := bytes.Cut(text, []byte(`"record":`))
	body = bytes.TrimSuffix(body, []byte("}\n"))
	body = regexp.MustCompile(`"boot_id":"[^"]*"`).ReplaceAll(body, []byte(`"boot_id":"00000000-0000-4000-8000-000000000001"`))
	sum := fmt.Sprintf(`"crc32c":"%08x"`, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	head = regexp.MustCompile(`"crc32c":"[^"]*"`).ReplaceAll(head, []byte(sum))
	return slices.Concat(head, []byte(`"record":`), body, []byte("}\n"))
}

// awaitPersisted waits until both copies of the record of c0 are the same.
func awaitPersisted(t *testing.T, d *lab.Daemon) {
	t.Helper()
	if !lab.Eventually(patience, func() bool {
		first, err1 := d.Space.ReadFile(filepath.Join(d.Run, "leases", "c0.json"))
		second, err2 := d.Space.ReadFile(filepath.Join(d.State, "c0.json"))
		return err1 == nil && err2 == nil && bytes.Equal(first, second)
	}) {
		t.Fatal("the record is not in the state folder")
	}
}

// TestLeaseFileOfAnotherCard checks that a lease that was obtained with
// another hardware address is not used.
func TestLeaseFileOfAnotherCard(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	_ = d.Stop(t)
	h.client.Run(t, "ip", "link", "set", "c0", "down")
	h.client.Run(t, "ip", "link", "set", "c0", "address", "02:00:00:00:00:99")
	h.client.Run(t, "ip", "link", "set", "c0", "up")
	mark := h.cap.Mark()
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	now := d.AwaitBound(t, "c0")
	if now.IPv4.Address == a.IPv4.Address {
		t.Errorf("the other card's address %v is in use", now.IPv4.Address)
	}
	if first := h.cap.SentByClient(mark)[0]; !first.Client(discover) {
		t.Errorf("the first packet is %v", first)
	}
	h.dhcp.AwaitHeld(t, now.IPv4.Address.Addr())
}
