package wine

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// A known is what package iphlpapi's tests are told of an adapter.
type known struct {
	Index       int
	Description string
	MAC         string
	Addresses   []string
	Gateways    []string
	DNS         []string
}

const nameServer = "192.0.2.53"

// machine makes a machine with two adapters of which everything is known.
func machine(t *testing.T) (*lab.Space, []known) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("Wine runs programs for the machine's own processor, and these are for amd64")
	}
	lab.Need(t, wine64, wineserver, mingw)
	l := lab.New(t)
	s := l.Space("windows")
	s.Write(t, "etc/resolv.conf", "nameserver "+nameServer+"\n")
	list := []known{
		{
			Description: "c0", MAC: "02:00:00:00:00:42", Addresses: []string{"10.42.0.2/24", "10.43.0.2/16"},
			Gateways: []string{"10.42.0.1"}, DNS: []string{nameServer},
		},
		{Description: "c1", MAC: "02:00:00:00:00:43", DNS: []string{nameServer}},
	}
	network := l.Network("office")
	for i := range list {
		k := &list[i]
		network.Attach(s, k.Description, k.MAC)
		link, err := s.Net.LinkByName(k.Description)
		if err != nil {
			t.Fatal(err)
		}
		k.Index = link.Attrs().Index
		for _, text := range k.Addresses {
			a, err := netlink.ParseAddr(text)
			if err == nil {
				err = s.Net.AddrAdd(link, a)
			}
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		for _, text := range k.Gateways {
			if err := s.Net.RouteAdd(&netlink.Route{LinkIndex: k.Index, Gw: net.ParseIP(text)}); err != nil {
				t.Fatalf("default via %s: %v", text, err)
			}
		}
	}
	return s, list
}

// TestWine runs the Windows side in Wine. One test, as setting Wine up takes
// longer than all the rest.
func TestWine(t *testing.T) {
	s, adapters := machine(t)
	p := newPrefix(t, s)
	t.Run("iphlpapi", func(t *testing.T) {
		p.build(t, "iphlpapi.test.exe", "test", "-c", "../../iphlpapi")
		text, err := json.Marshal(adapters)
		if err != nil {
			t.Fatal(err)
		}
		// The source, which two tests read, is not there.
		cmd := p.windows(t, "iphlpapi.test.exe", "-test.v", "-test.timeout=50s", "-test.skip=^(TestEveryCodeIsHere|TestOtherSystems)$")
		cmd.Env = append(cmd.Env, "LESSEE_TEST_ADAPTERS="+string(text))
		out, err := s.Output(cmd)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		for _, name := range []string{
			"TestSystemInterfaces", "TestSystemAdaptersInfo", "TestSystemProtocol", "TestSystemCodes",
			"TestKnownAdapters", "TestReleaseAndRenew", "TestLayout", "TestFormatMessage", "TestSystemMessage",
		} {
			if !strings.Contains(out, "--- PASS: "+name+" ") {
				t.Errorf("%s did not pass", name)
			}
		}
		if skipped := regexp.MustCompile(`(?m)^ *--- SKIP.*`).FindString(out); skipped != "" {
			t.Errorf("skipped: %s", skipped)
		}
	})
	t.Run("command line", func(t *testing.T) { commandLine(t, p, adapters) })
	t.Run("ipconfig", func(t *testing.T) { ipconfig(t, p) })
}

// commandLine holds the command line for Windows to the adapters.
func commandLine(t *testing.T, p *prefix, adapters []known) {
	t.Helper()
	p.build(t, "lessee.exe", "build", "../../cmd/lessee")
	run := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		return p.run(t, want, "lessee.exe", args...)
	}
	out, _ := run(0, "list", "-o", "json")
	var list []lessee.Adapter
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(list) != len(adapters) {
		t.Errorf("%d adapters, want %d:\n%s", len(list), len(adapters), out)
	}
	for i, a := range list {
		k := adapters[i]
		// Wine says of all adapters that they are managed by DHCP.
		want := fmt.Sprintln(k.Index, k.Description, k.MAC, true, true, 1500, "windows")
		if got := fmt.Sprintln(a.Index, a.Name, a.MAC, a.Up, a.Carrier, a.MTU, a.Manager); got != want {
			t.Errorf("got %swant %s", got, want)
		}
		if len(a.AltNames) != 1 || !strings.HasPrefix(a.AltNames[0], "{") {
			t.Errorf("the system's name of %s is %q", a.Name, a.AltNames)
		}
	}
	if v := list[0].IPv4; v == nil || v.Address.String() != adapters[0].Addresses[0] || v.State != "bound" ||
		fmt.Sprint(v.Routers, v.DNS) != fmt.Sprint(adapters[0].Gateways, adapters[0].DNS) {
		t.Errorf("IPv4 of the first: %+v", v)
	}
	if v := list[1].IPv4; v == nil || v.Address.IsValid() || v.State != "init" {
		t.Errorf("IPv4 of the second: %+v", v)
	}
	out, _ = run(0, "list")
	says(t, out, "10.42.0.2/24")
	for _, name := range []string{"c0", "C0", list[0].AltNames[0]} {
		out, _ = run(0, "show", name)
		says(t, out, adapters[0].MAC)
	}
	for _, verb := range []string{"renew", "release"} {
		_, text := run(1, verb, "c0")
		says(t, text, "(ERROR_NOT_SUPPORTED 50)")
		_, text = run(1, verb, "nobody 0")
		says(t, text, "(ERROR_FILE_NOT_FOUND 2)")
		// Wine's ipconfig.exe does not know these two, and says that with 1.
		_, text = run(1, verb, "-6", "c0")
		says(t, text, "c0: "+verb+": ")
		says(t, text, "(ERROR_GEN_FAILURE 31)")
	}
	out, text := run(0, "version")
	says(t, out, "lessee ")
	if strings.Contains(out+text, "daemon") {
		t.Errorf("it speaks of a daemon: %s%s", out, text)
	}
	run(2, "daemon")
}

// run runs a Windows program, which has to end with that status.
func (p *prefix) run(t *testing.T, want int, exe string, args ...string) (stdout, stderr string) {
	t.Helper()
	r := p.Result(t, p.windows(t, exe, args...))
	if r.Status != want {
		t.Errorf("%s %s: status %d, want %d\n%s%s", exe, strings.Join(args, " "), r.Status, want, r.Stdout, r.Stderr)
	}
	return r.Stdout, r.Stderr
}

func says(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is not in\n%s", want, text)
	}
}

// ipconfig holds the command of that name to the adapters. Its program is the
// command line's, by another name.
func ipconfig(t *testing.T, p *prefix) {
	t.Helper()
	if err := os.Link(p.file("lessee.exe"), p.file("ipconfig.exe")); err != nil {
		t.Fatal(err)
	}
	out, _ := p.run(t, 0, "ipconfig.exe")
	says(t, out, "Windows IP Configuration")
	says(t, out, "Ethernet adapter c0:")
	out, _ = p.run(t, 0, "ipconfig.exe", "/ALL")
	out = strings.ReplaceAll(out, "\r\n", "\n")
	for _, want := range []string{
		": 02-00-00-00-00-42\n", ": 10.42.0.2(Preferred)", ": 255.255.255.0", ": 10.43.0.2(Preferred)", ": 255.255.0.0",
		": 10.42.0.1\n", ": " + nameServer,
	} {
		says(t, out, want)
	}
	for _, verb := range []string{"/renew", "-release"} {
		_, text := p.run(t, 1, "ipconfig.exe", verb, "c*")
		says(t, text, "c0 could not be ")
	}
	p.run(t, 1, "ipconfig.exe", "/renew", "nobody*")
	p.run(t, 1, "ipconfig.exe", "/renew6", "c0") // the system's own, which in Wine does not know it
}
