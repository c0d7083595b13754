//go:build linux

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/golden"
)

// rareParameters are all that a lease may have besides the usual.
const rareParameters = `{
	"timezone": {"name": "Europe/Paris", "posix": "CET-1CEST,M3.5.0,M10.5.0/3", "offset": -12600},
	"sip": {"domains": ["sip.lab.test", "sip.test"]},
	"captive_portal": "https://portal.test/api?a=1&b=2",
	"wpad": "http://wpad.test/wpad.dat",
	"dnr": [
		{"priority": 1, "name": "dns.test", "addresses": ["10.77.0.53"], "alpn": ["dot", "h2"], "port": 8853, "dohpath": "/dns-query{?dns}"},
		{"priority": 2, "name": "dns2.test"}
	],
	"fqdn": {"name": "box.lab.test", "server_updates": true, "overridden": true},
	"vendor": [{"enterprise": 3561, "options": [{"code": 1, "value": "6869"}, {"code": 2, "value": ""}]}],
	"options": {"43": "0104c0a80001", "66": "74667470"}
}`

func TestShowParameters(t *testing.T) {
	t.Parallel()
	full := bound()
	full.IPv4.NTP = full.IPv4.DNS
	if err := json.Unmarshal([]byte(rareParameters), &full.IPv4.Parameters); err != nil {
		t.Fatal(err)
	}
	other := bound()
	if err := json.Unmarshal([]byte(`{
		"timezone": {"offset": 20742},
		"sip": {"servers": ["10.77.0.5"]},
		"no_captive_portal": true,
		"fqdn": {"no_updates": true}
	}`), &other.IPv4.Parameters); err != nil {
		t.Fatal(err)
	}
	other.Index, other.Name = 3, "eth1"
	socket := serve(t, &engine{adapters: []lessee.Adapter{full, other}})
	for _, c := range []struct {
		file, args string
		language   func(*Env)
	}{
		{"show-parameters.txt", "show eth0", nil},
		{"show-parameters.json", "show eth0 -o json", nil},
		{"show-parameters-2.txt", "show eth1", nil},
		{"show-parameters.fr.txt", "show eth0", inFrench},
	} {
		r := run(t.Context(), c.language, append([]string{"--socket", socket}, strings.Fields(c.args)...)...)
		if r.status != 0 {
			t.Errorf("%v: status %d, %s", c.args, r.status, r.err)
		}
		golden.Check(t, c.file, r.out)
	}
}
