package ipconfig

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee/internal/golden"
	"github.com/lessee/lessee/internal/text"
	"github.com/lessee/lessee/iphlpapi"
)

// machine is a System that a test makes up.
type machine struct {
	host     Host
	adapters []Adapter
	list     error
	// fail has what comes of an operation, by "renew eth0".
	fail map[string]error
	six  func(verb, pattern string) error

	mu    sync.Mutex
	calls []string
}

var _ System = (*machine)(nil)

func (m *machine) Host() Host                   { return m.host }
func (m *machine) Adapters() ([]Adapter, error) { return m.adapters, m.list }

func (m *machine) Resolve(name string) (string, bool) { return "eth0", name == "uplink" }

func (m *machine) do(call string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
	return m.fail[call]
}

func (m *machine) Release(a Adapter) error                   { return m.do("release " + a.Name) }
func (m *machine) Renew(a Adapter) error                     { return m.do("renew " + a.Name) }
func (m *machine) SixVerb() func(verb, pattern string) error { return m.six }

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// office is a machine with an adapter of each kind.
func office() *machine {
	return &machine{
		host: Host{System: "Linux", Name: "box", Suffix: "example.test", RoutingKnown: true, Search: []string{"example.test", "lab.example.test"}},
		adapters: []Adapter{
			{
				Index: 2, Name: "eth0", Description: "virtio_net", Medium: Ethernet, Hardware: net.HardwareAddr{2, 0, 0, 0, 0xab, 0xcd},
				Connected: true, DHCP: true, Suffix: "example.test",
				IPv4:     []netip.Prefix{netip.MustParsePrefix("10.77.0.105/24"), netip.MustParsePrefix("192.168.7.1/30")},
				IPv6:     addrs("fe80::abff:fe00:cd", "2001:db8::17"),
				Gateways: addrs("10.77.0.1", "10.77.0.2"), Server: netip.MustParseAddr("10.77.0.1"),
				DNS: addrs("10.77.0.1", "10.77.0.9"), WINS: addrs("10.77.0.20", "10.77.0.21", "10.77.0.22"),
				Obtained: time.Date(2026, 8, 1, 22, 30, 5, 0, time.UTC), Expires: time.Date(2026, 8, 2, 10, 30, 5, 0, time.UTC),
			},
			{
				Index: 3, Name: "eth1", Medium: Ethernet, Hardware: net.HardwareAddr{2, 0, 0, 0, 0, 3}, Connected: true, DHCP: true,
				IPv4: []netip.Prefix{netip.MustParsePrefix("10.78.0.5/8")}, Server: netip.MustParseAddr("10.78.0.1"), Infinite: true,
				Obtained: time.Date(2026, 8, 1, 22, 30, 5, 0, time.UTC),
			},
			{Index: 4, Name: "wlan0", Description: "iwlwifi", Medium: Wireless, Hardware: net.HardwareAddr{2, 0, 0, 0, 0, 4}, DHCP: true, Suffix: "old.example.test"},
			{
				Index: 5, Name: "usb0", Medium: Ethernet, Hardware: net.HardwareAddr{2, 0, 0, 0, 0, 5}, Connected: true, DHCP: true,
				IPv4: []netip.Prefix{netip.MustParsePrefix("169.254.7.9/16")},
			},
			{Index: 6, Name: "ppp0", Medium: PPP, Connected: true, IPv4: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}, DNS: addrs("192.0.2.1")},
			{Index: 7, Name: "wg0", Medium: Tunnel, Connected: true},
			{Index: 8, Name: "odd\x1b0", Connected: true},
		},
	}
}

// run runs a command line in a time zone of its own.
func run(m *machine, locale string, args ...string) (status int, out, errOut string) {
	var o, e bytes.Buffer
	status = Run(Env{
		Stdout: &o, Stderr: &e, Zone: time.FixedZone("", 2*3600), System: m,
		Getenv: func(name string) string { return map[string]string{"LC_ALL": locale}[name] },
	}, args)
	return status, o.String(), e.String()
}

func TestReports(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, locale string }{{"english", "en_US.UTF-8"}, {"french", "fr_FR.UTF-8"}, {"british", "en_GB.UTF-8"}} {
		for _, verb := range []string{"", "/all", "/?"} {
			if c.name == "british" && verb != "/all" {
				continue
			}
			var args []string
			if verb != "" {
				args = []string{verb}
			}
			status, out, errOut := run(office(), c.locale, args...)
			if status != 0 || errOut != "" {
				t.Errorf("%s %s: status %d, stderr %q", c.name, verb, status, errOut)
			}
			name := strings.Trim(c.name+strings.NewReplacer("/", "-", "?", "help").Replace(verb), "-")
			golden.Check(t, name+".txt", out)
			for line := range strings.Lines(out) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
					t.Errorf("%s: %d columns: %q", name, n, line)
				}
			}
		}
	}
}

// All colons are below each other, and all dots in odd columns.
func TestLeaders(t *testing.T) {
	t.Parallel()
	for _, tag := range text.Languages() {
		p := text.For(tag)
		want, err := strconv.Atoi(p.Text("column|37"))
		if err != nil || want%2 == 0 {
			t.Fatalf("%v: the column of the colons is %q, not an odd number", tag, p.Text("column|37"))
		}
		_, out, _ := run(office(), tag.String(), "/all")
		for line := range strings.Lines(out) {
			if !strings.HasPrefix(line, "   ") || strings.TrimSpace(line[:min(len(line), want)]) == "" {
				continue // a title, or another value of the line above
			}
			runes := []rune(line)
			if len(runes) < want+2 || string(runes[want-1:want+2]) != " : " {
				t.Errorf("%v: no colon in column %d: %q", tag, want, line)
				continue
			}
			for i, r := range runes[:want] {
				if r == '.' && i%2 == 0 {
					t.Errorf("%v: a dot in column %d: %q", tag, i, line)
				}
			}
		}
	}
}

func TestWildcards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"eth0", "eth0", true},
		{"eth0", "eth01", false},
		{"eth0", "eth", false},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "eth0", true},
		{"e*", "eth0", true},
		{"*0", "eth0", true},
		{"*h*", "eth0", true},
		{"*x*", "eth0", false},
		{"e*h*0", "eth0", true},
		{"e*h*1", "eth0", false},
		{"**", "eth0", true},
		{"eth?", "eth0", true},
		{"eth?", "eth", false},
		{"eth?", "eth10", false},
		{"????", "eth0", true},
		{"?*", "", false},
		{"?*", "é", true},
		{"??", "é", false},
		{"*?", "éé", true},
		{"é*", "été", true},
		{"*é", "été", true},
		{"*ab*ab", "abababx", false},
		{"*ab*ab", "xabxab", true},
		{"a*a*a*a*a*a*a*b", strings.Repeat("a", 100), false},
		{"Local Area*", "Local Area Connection", true},
		{"eth[01]", "eth0", false},
		{"ETH0", "eth0", false},
		{"\xff*", "\xffx", true},
	} {
		if got := match(c.pattern, c.name); got != c.want {
			t.Errorf("match(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("e*?0", "eth0")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		match(pattern, name)
		if !strings.ContainsAny(name, "*?") && !match(name, name) {
			t.Errorf("%q does not match itself", name)
		}
		if !match("*"+name[:len(name)/2]+"*", name) && !strings.ContainsAny(name, "*?") && utf8.ValidString(name[:len(name)/2]) && utf8.ValidString(name) {
			t.Errorf("%q does not match its half", name)
		}
	})
}

func TestChanges(t *testing.T) {
	t.Parallel()
	fail := map[string]error{
		"renew wlan0":  iphlpapi.ERROR_NO_NETWORK,
		"renew usb0":   iphlpapi.ERROR_SEM_TIMEOUT,
		"release eth1": errors.New("no space left on device"),
	}
	const usb = "ipconfig: usb0 could not be renewed: no DHCP server answered in time (error 121)\n"
	const wlan = "ipconfig: wlan0 could not be renewed: the adapter is down or has no carrier (error 1222)\n"
	for _, c := range []struct {
		args   string
		calls  string
		status int
		err    string
	}{
		{"/renew", "renew eth0, renew eth1, renew usb0, renew wlan0", 1, wlan + usb},
		{"-RENEW eth0", "renew eth0", 0, ""},
		{"--renew eth*", "renew eth0, renew eth1", 0, ""},
		{"/Renew ????", "renew eth0, renew eth1, renew ppp0, renew usb0", 1, usb},
		{"/renew ETH0", "renew eth0", 0, ""},
		{"/renew ETH?", "renew eth0, renew eth1", 0, ""},
		{"/renew uplink", "renew eth0", 0, ""},
		{"/renew Uplink", "", 1, "ipconfig: no adapter has a name like \"Uplink\": nothing was done\n"},
		{"/renew Local Area Connection", "", 1, "ipconfig: no adapter has a name like \"Local Area Connection\": nothing was done\n"},
		{"/renew *", "renew eth0, renew eth1, renew odd\x1b0, renew ppp0, renew usb0, renew wg0, renew wlan0", 1, wlan + usb},
		{"/release eth1", "release eth1", 1, "ipconfig: eth1 could not be released: no space left on device\n"},
		{"/release eth0", "release eth0", 0, ""},
		{"/release6", "", 1, "ipconfig: /release6: no IPv6 lease is managed: the kernel configures IPv6 by router advertisements\n"},
		{"-Renew6 eth0", "", 1, "ipconfig: /renew6: no IPv6 lease is managed: the kernel configures IPv6 by router advertisements\n"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			m := office()
			m.fail = fail
			status, out, errOut := run(m, "C", strings.Fields(c.args)...)
			slices.Sort(m.calls)
			if calls := strings.Join(m.calls, ", "); calls != c.calls {
				t.Errorf("called %s, want %s", calls, c.calls)
			}
			if status != c.status || errOut != c.err {
				t.Errorf("status %d, stderr %q; want %d, %q", status, errOut, c.status, c.err)
			}
			// The report comes after what was done, and only then.
			if strings.Contains(out, "Linux IP Configuration") != (c.calls != "") {
				t.Errorf("stdout %q", out)
			}
		})
	}
}

func TestChangesInFrench(t *testing.T) {
	t.Parallel()
	m := office()
	m.fail = map[string]error{"release eth0": iphlpapi.ERROR_ADDRESS_NOT_ASSOCIATED}
	if status, _, errOut := run(m, "fr_FR", "/release", "eth0"); status != 1 ||
		errOut != "ipconfig: eth0 n'a pas pu être libéré : l'adaptateur n'a pas de bail (erreur 1228)\n" {
		t.Errorf("status %d, stderr %q", status, errOut)
	}
	if status, _, errOut := run(m, "fr_FR", "/renew6"); status != 1 ||
		errOut != "ipconfig: /renew6 : aucun bail IPv6 n'est géré : le noyau configure IPv6 par les annonces des routeurs\n" {
		t.Errorf("status %d, stderr %q", status, errOut)
	}
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	m := &machine{host: Host{System: "Linux", Name: "box"}}
	for _, verb := range []string{"/release", "/renew"} {
		if status, out, errOut := run(m, "C", verb); status != 1 || out != "" ||
			errOut != "ipconfig: no adapter is managed by DHCP: nothing was done\n" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", verb, status, out, errOut)
		}
	}
	if status, out, _ := run(m, "C"); status != 0 || out != "\nLinux IP Configuration\n\n" {
		t.Errorf("status %d, stdout %q", status, out)
	}
	m.list = iphlpapi.ERROR_GEN_FAILURE
	for _, verb := range []string{"/all", "/renew"} {
		if status, out, errOut := run(m, "C", verb); status != 1 || out != "" || errOut != "ipconfig: the system refused the change (error 31)\n" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", verb, status, out, errOut)
		}
	}
}

func TestSix(t *testing.T) {
	t.Parallel()
	m := office()
	var asked []string
	m.six = func(verb, pattern string) error {
		asked = append(asked, verb+" "+pattern)
		if pattern == "eth1" {
			return iphlpapi.ERROR_NOT_SUPPORTED
		}
		return nil
	}
	for _, c := range []struct {
		args   []string
		status int
		err    string
	}{
		{[]string{"/renew6"}, 0, ""},
		{[]string{"/Release6", "eth*"}, 0, ""},
		{[]string{"/renew6", "eth1"}, 1, "ipconfig: /renew6: not supported here (error 50)\n"},
	} {
		if status, _, errOut := run(m, "C", c.args...); status != c.status || errOut != c.err {
			t.Errorf("%v: status %d, stderr %q", c.args, status, errOut)
		}
	}
	if got := fmt.Sprintf("%q", asked); got != `["renew6 " "release6 eth*" "renew6 eth1"]` {
		t.Errorf("asked %s", got)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"all", "/al", "/alls", "eth0", "/", "-", "--", "/all eth0", "/? x", "/flushdns", "/renew7"} {
		m := office()
		status, out, errOut := run(m, "C", strings.Fields(args)...)
		if status != 1 || errOut != "ipconfig: this command line is not understood: "+args+"\n" || !strings.Contains(out, "usage: ipconfig") || len(m.calls) > 0 {
			t.Errorf("%s: status %d, stdout %q, stderr %q", args, status, out, errOut)
		}
	}
	// A variable that is not set is not a wish for all adapters.
	for _, args := range [][]string{{"/release", ""}, {"/renew", " "}, {"/release6", "", ""}} {
		m := office()
		if status, _, errOut := run(m, "C", args...); status != 1 || errOut == "" || len(m.calls) > 0 {
			t.Errorf("%q: status %d, stderr %q, calls %q", args, status, errOut, m.calls)
		}
	}
	for _, args := range []string{"/?", "-?", "/H", "-help", "--help"} {
		if status, out, errOut := run(office(), "C", args); status != 0 || errOut != "" || !strings.Contains(out, "usage: ipconfig") {
			t.Errorf("%s: status %d, stdout %q, stderr %q", args, status, out, errOut)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var e bytes.Buffer
	status := Run(Env{Stdout: brokenWriter{}, Stderr: &e, System: office(), Getenv: func(string) string { return "" }}, []string{"/all"})
	if status != 1 || !strings.Contains(e.String(), "write to the standard output: ") {
		t.Errorf("status %d, stderr %q", status, e.String())
	}
}
