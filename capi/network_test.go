//go:build linux && cgo

package main_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/test/lab"
)

// patience is how long to wait for what should come at once, on a busy machine.
const patience = 30 * time.Second

// addPair adds the two ends of a cable, both down.
func addPair(t *testing.T, s *lab.Space, name string) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name + "0"
	if err := s.Net.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: name + "1"}); err != nil {
		t.Fatal(err)
	}
}

func setUp(t *testing.T, s *lab.Space, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := s.SetUp(name, true); err != nil {
			t.Fatal(err)
		}
	}
}

// A home is a network with dnsmasq, and a machine with a daemon that has a lease.
type home struct {
	client *lab.Space
	port   *lab.Port
	dhcp   *lab.Server
	daemon *lab.Daemon
}

func newHome(t testing.TB, c lab.Config) *home {
	t.Helper()
	kind := lab.KindByName("dnsmasq")
	lab.Need(t, kind.Programs...)
	l := lab.New(t)
	n := l.Network("home")
	h := &home{dhcp: kind.Start(t, n.Host("server", "10.77.0.1/24"), c), client: l.Space("client")}
	h.port = n.Attach(h.client, "c0", "02:00:00:00:00:02")
	h.daemon = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Quiet: true})
	h.daemon.AwaitBound(t, "c0")
	return h
}

// call runs a C program on the client's machine.
func (h *home) call(t testing.TB, program string, args ...string) lab.Result {
	t.Helper()
	return h.client.Result(t, environment(h.client.Command(t, program, args...), "LESSEE_SOCKET="+h.daemon.Socket))
}

// examples are the project's own, and the one that the contract comes from where
// it is beside the project.
func examples() map[string]string {
	out := map[string]string{"example": "example/release_renew.c"}
	seed := os.Getenv("LESSEE_SEED")
	if seed == "" {
		seed = filepath.Join(root(), "..", "shared", "seed", "example.c")
	}
	if _, err := os.Stat(seed); err == nil {
		out["page"] = seed
	}
	return out
}

// TestExample: a program written for Windows, unmodified.
func TestExample(t *testing.T) {
	t.Parallel()
	for name, file := range examples() {
		for _, compiler := range compilers {
			t.Run(name+" "+compiler, func(t *testing.T) {
				t.Parallel()
				program := compile(t, compiler, nil, file)

				t.Run("no adapter", func(t *testing.T) {
					t.Parallel()
					s := space(t)
					r := s.Result(t, environment(s.Command(t, program)))
					matches(t, r, `^There (is|are) no network adapters? with IPv4 enabled( on the local system)?\.?\n$`)
				})
				t.Run("no service", func(t *testing.T) {
					t.Parallel()
					s := cable(t)
					r := s.Result(t, environment(s.Command(t, program)))
					matches(t, r, `\bIP release failed: 127\b(.|\n)*\nIP renew failed: 127\b`)
				})
				t.Run("lease", func(t *testing.T) {
					t.Parallel()
					h := newHome(t, lab.Config{})
					link, err := h.client.Net.LinkByName("c0")
					if err != nil {
						t.Fatal(err)
					}
					r := h.call(t, program)
					if r.Stderr != "" {
						t.Errorf("stderr: %s", r.Stderr)
					}
					for _, want := range []string{
						`Adapter [Nn]ame: c0\n`, fmt.Sprintf(`Adapter [Ii]ndex: %d\n`, link.Attrs().Index),
						`(?i)num(ber of)? adapters: 1\n`, `IP release succeeded\.\nIP renew succeeded\.\n$`,
					} {
						matches(t, r, want)
					}
					// The call answers when the address is usable.
					if a := h.client.Addresses("c0"); len(a) != 1 {
						t.Errorf("addresses after the renewal: %v", a)
					}
				})
			})
		}
	}
}

func matches(t *testing.T, r lab.Result, want string) {
	t.Helper()
	if !regexp.MustCompile(want).MatchString(r.Stdout) {
		t.Errorf("want %s in\n%s%s", want, r.Stdout, r.Stderr)
	}
}

// codes are those that call.c prints.
func codes(r lab.Result) string {
	var out []string
	for l := range strings.Lines(r.Stdout) {
		f := strings.Fields(l)
		out = append(out, strings.Join(f[:min(2, len(f))], ""))
	}
	return strings.Join(out, " ") + r.Stderr
}

// TestReleaseAndRenew: the codes that a network decides on, and that only the
// name counts.
func TestReleaseAndRenew(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.Config{})
	program := compile(t, "gcc", strict, "testdata/call.c")
	// Renew, release, release without a lease, renew, release without a service.
	if got := codes(h.call(t, program, "c0", "nrrn")); got != "n0 r0 r1228 n0" {
		t.Errorf("got %s", got)
	}
	if got := codes(h.call(t, program, "none", "nr")); got != "n2 r2" {
		t.Errorf("no such adapter: %s", got)
	}
	addPair(t, h.client, "d")
	setUp(t, h.client, "d0")
	if got := codes(h.call(t, program, "d0", "nr")); got != "n2 r2" {
		t.Errorf("not managed by DHCP: %s", got)
	}
	if err := h.client.SetUp("c0", false); err != nil {
		t.Fatal(err)
	}
	if got := codes(h.call(t, program, "c0", "n")); got != "n1222" {
		t.Errorf("down: %s", got)
	}
	if err := h.daemon.Stop(t); err != nil {
		t.Log(err)
	}
	if got := codes(h.call(t, program, "c0", "rn")); got != "r127 n127" {
		t.Errorf("the service has stopped: %s", got)
	}
}

// TestCallsJoin: eight threads that renew get one answer by one exchange.
func TestCallsJoin(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.Config{})
	program := compile(t, "gcc", sanitizers, "testdata/call.c")
	if got := codes(h.call(t, program, "c0", "r")); got != "r0" {
		t.Fatalf("release: %s", got)
	}
	h.dhcp.Stop(t) // so that all have come before the answer does
	capture := h.port.Capture()
	done := make(chan lab.Result)
	go func() { done <- h.call(t, program, "c0", "n", "8") }()
	capture.Await(0, patience, "a DISCOVER", func(p lab.Packet) bool { return p.Client(dhcpv4.MessageTypeDiscover) })
	h.dhcp.Resume(t)
	if got, want := codes(<-done), strings.TrimSpace(strings.Repeat("n0 ", 8)); got != want {
		t.Errorf("got %s", got)
	}
	n := 0
	for _, p := range capture.SentByClient(0) {
		if p.Client(dhcpv4.MessageTypeRequest) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d requests for one lease", n)
	}
}

// TestAdaptersInfo: what C is told is what the server gave.
func TestAdaptersInfo(t *testing.T) {
	t.Parallel()
	h := newHome(t, lab.Config{
		Lease: 10 * time.Minute, Router: netip.MustParseAddr("10.77.0.1"),
		DNS: []netip.Addr{netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2")},
	})
	h.client.AddAddress(t, "c0", "192.0.2.7/28")
	link, err := h.client.Net.LinkByName("c0")
	if err != nil {
		t.Fatal(err)
	}
	lease := h.daemon.Show(t, "c0").IPv4
	for _, compiler := range compilers {
		r := h.call(t, compile(t, compiler, append(sanitizers, strict...), "testdata/show.c"), "c0")
		for _, want := range []string{
			fmt.Sprintf(`^index %d type 6\n`, link.Attrs().Index),
			`\nhardware 02-00-00-00-00-02\n`, `\ndhcp 1\n`,
			`\naddress ` + regexp.QuoteMeta(lease.Address.Addr().String()) + ` 255\.255\.255\.0\n`,
			`\naddress 192\.0\.2\.7 255\.255\.255\.240\n`,
			`\ngateway 10\.77\.0\.1 `, `\nserver 10\.77\.0\.1 `,
			`\nwins 0\nprimary 0\.0\.0\.0 0\.0\.0\.0\nsecondary 0\.0\.0\.0 0\.0\.0\.0\n`,
			`\ndns 10\.77\.0\.1 .*\ndns 10\.77\.0\.2 `,
		} {
			matches(t, r, want)
		}
		obtained, expires := fact(t, r, "obtained"), fact(t, r, "expires")
		if d := expires - obtained; d < 598 || d > 602 {
			t.Errorf("obtained %d, expires %d: not ten minutes", obtained, expires)
		}
		// What the daemon says, and not a matter of how long the compiler took.
		if d := time.Unix(obtained, 0).Sub(lease.Obtained); d < -2*time.Second || d > 2*time.Second {
			t.Errorf("obtained %v after what the daemon says", d)
		}
	}
}

// fact returns the number that show.c prints behind a word.
func fact(t *testing.T, r lab.Result, word string) int64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + word + ` (\d+)$`).FindStringSubmatch(r.Stdout)
	if m == nil {
		t.Fatalf("no %q in\n%s%s", word, r.Stdout, r.Stderr)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
