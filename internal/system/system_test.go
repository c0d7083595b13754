package system

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/iphlpapi"
)

func put(to []byte, s string) { copy(to, s) }

func entry(address, mask string) (s iphlpapi.IpAddrString) {
	put(s.IpAddress.String[:], address)
	put(s.IpMask.String[:], mask)
	return s
}

// TestDescribe has the forms in which Windows tells of an adapter.
func TestDescribe(t *testing.T) {
	t.Parallel()
	base := func() *iphlpapi.IpAdapterInfo {
		i := &iphlpapi.IpAdapterInfo{Index: 7, AddressLength: 6, Address: [8]byte{2, 0, 0, 0, 0, 1}}
		put(i.AdapterName[:], "{GUID}")
		i.IpAddressList, i.GatewayList = entry("0.0.0.0", "0.0.0.0"), entry("0.0.0.0", "0.0.0.0")
		return i
	}
	leased := func() *iphlpapi.IpAdapterInfo {
		i := base()
		i.DhcpEnabled, i.HaveWins = 1, 1
		i.IpAddressList, i.GatewayList = entry("10.0.0.5", "255.255.255.0"), entry("10.0.0.1", "0.0.0.0")
		i.DhcpServer, i.PrimaryWinsServer, i.SecondaryWinsServer = entry("10.0.0.2", ""), entry("10.0.0.3", ""), entry("10.0.0.4", "")
		i.LeaseObtained, i.LeaseExpires = 1_900_000_000, 1_900_003_600
		return i
	}
	const head = `"index":7,"name":"Ethernet 2","altnames":["{GUID}"],"mac":"02:00:00:00:00:01","mtu":1500,"up":true,"carrier":true,"manager":`
	for name, tc := range map[string]struct {
		change func(*iphlpapi.IpAdapterInfo)
		info   *iphlpapi.IpAdapterInfo
		want   string
	}{
		"not by DHCP": {info: base(), want: `{` + head + `"none","ipv4":{"state":"disabled"}}`},
		"no lease":    {info: base(), change: func(i *iphlpapi.IpAdapterInfo) { i.DhcpEnabled = 1 }, want: `{` + head + `"windows","ipv4":{"state":"init"}}`},
		"a lease": {info: leased(), want: `{` + head + `"windows","ipv4":{"state":"bound","address":"10.0.0.5/24","server":"10.0.0.2","routers":["10.0.0.1"],` +
			`"wins":["10.0.0.3","10.0.0.4"],"obtained":"2030-03-17T17:46:40Z","expires":"2030-03-17T18:46:40Z"}}`},
		"without end": {
			info: leased(), change: func(i *iphlpapi.IpAdapterInfo) { i.LeaseExpires, i.HaveWins = math.MaxInt32, 0 },
			want: `{` + head + `"windows","ipv4":{"state":"bound","address":"10.0.0.5/24","server":"10.0.0.2","routers":["10.0.0.1"],` +
				`"obtained":"2030-03-17T17:46:40Z","infinite":true}}`,
		},
		"link-local": {
			info: leased(), change: func(i *iphlpapi.IpAdapterInfo) {
				i.IpAddressList, i.GatewayList = entry("169.254.3.4", "255.255.0.0"), entry("0.0.0.0", "")
			},
			want: `{` + head + `"windows","ipv4":{"state":"link-local","address":"169.254.3.4/16"}}`,
		},
	} {
		if tc.change != nil {
			tc.change(tc.info)
		}
		got, err := json.Marshal(describe(tc.info, &iphlpapi.IpPerAdapterInfo{}, extra{"Ethernet 2", 1500, true}))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %v\n%s, want\n%s", name, err, got, tc.want)
		}
	}
}

// TestAwait: a call that cannot be interrupted is not waited for.
func TestAwait(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	call := func() (int, error) { <-hang; return 0, nil }
	check := func(what string, err error, code errno.Errno) {
		t.Helper()
		if e, ok := errors.AsType[*lessee.Error](err); !ok || e.Code != code || e.Op != "renew" || e.Adapter != "e0" {
			t.Errorf("%s: %v, want %s", what, err, code.Name())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := await(ctx, "renew", "e0", call)
	check("cancelled", err, errno.ERROR_CANCELLED)
	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = await(ctx, "renew", "e0", call)
	check("too late", err, errno.ERROR_SEM_TIMEOUT)
	_, err = await(t.Context(), "renew", "e0", func() (int, error) { return 0, iphlpapi.ERROR_NO_NETWORK })
	check("failed", err, errno.ERROR_NO_NETWORK)
	if v, err := await(t.Context(), "renew", "e0", func() (int, error) { return 5, nil }); v != 5 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}

func TestLastLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "\r\n\r\n": "", "one": "one", "\r\nWindows IP Configuration\r\n\r\nNo adapter is in the state.\r\n \r\n": "No adapter is in the state.",
	} {
		if got := lastLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestNotHere: what the system's client has no way to do.
func TestNotHere(t *testing.T) {
	t.Parallel()
	c := Client{}
	_, version := c.Version(t.Context())
	for what, err := range map[string]error{"up": c.Up(t.Context(), "e0"), "down": c.Down(t.Context(), "e0", true), "version": version} {
		if !errors.Is(err, errno.ERROR_NOT_SUPPORTED) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range c.Events(t.Context()) {
		t.Error("there are no events")
	}
	if err := c.Renew(t.Context(), "nobody0"); err == nil {
		t.Error("an adapter that is not there was renewed")
	}
}
