package wine

import (
	"encoding/json"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

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
		// The source, which one test reads, is not there.
		cmd := p.windows(t, "iphlpapi.test.exe", "-test.v", "-test.timeout=50s", "-test.skip=^TestEveryCodeIsHere$")
		cmd.Env = append(cmd.Env, "LESSEE_TEST_ADAPTERS="+string(text))
		out, err := s.Output(cmd)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		for _, name := range []string{
			"TestSystemInterfaces", "TestSystemAdaptersInfo", "TestSystemProtocol", "TestSystemCodes",
			"TestKnownAdapters", "TestReleaseAndRenew", "TestLayout", "TestFormatMessage",
		} {
			if !strings.Contains(out, "--- PASS: "+name+" ") {
				t.Errorf("%s did not pass", name)
			}
		}
		if skipped := regexp.MustCompile(`(?m)^ *--- SKIP.*`).FindString(out); skipped != "" {
			t.Errorf("skipped: %s", skipped)
		}
	})
}
