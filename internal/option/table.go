package option

import (
	"net/netip"

	"github.com/lessee/lessee/names"
)

// Servers are the options that are lists of addresses. They are the addresses of
// hosts, each once, in the server's order of preference.
type Servers struct {
	NTP  []netip.Addr `json:"ntp,omitempty"`  // time servers (option 42)
	WINS []netip.Addr `json:"wins,omitempty"` // NetBIOS name servers (option 44)
}

// Texts are the options that are names, URLs or other texts.
type Texts struct {
	// CaptivePortal is where the API of the network's captive portal is (option
	// 114, RFC 8910). NoCaptivePortal says that the server says that there is none.
	CaptivePortal   names.URL `json:"captive_portal,omitzero"`
	NoCaptivePortal bool      `json:"no_captive_portal,omitempty"`
	// WPAD is where the web proxy configuration is (option 252).
	WPAD names.URL `json:"wpad,omitzero"`
}

// table has the options by their codes. It is the one place that declares one.
var table = [256]Row{
	0:  {Name: "pad"},
	1:  {Name: "subnet mask", Use: Client},
	2:  {Name: "time offset", Use: HandedOn, JSON: "timezone", Label: "time zone", Record: "utc_offset"},
	3:  {Name: "router", Use: Client, JSON: "routers", Label: "routers", Record: "routers"},
	4:  {Name: "time server"},
	5:  {Name: "name server"},
	6:  {Name: "domain name server", Use: Client, JSON: "dns", Label: "dns", Record: "dns"},
	7:  {Name: "log server"},
	12: {Name: "host name", Use: Client, JSON: "host_name", Label: "host name", Record: "host_name"},
	13: {Name: "boot file size"},
	15: {Name: "domain name", Use: Client, JSON: "domain", Label: "domain", Record: "domain"},
	17: {Name: "root path"},
	19: {Name: "IP forwarding"},
	26: {Name: "interface MTU", Use: Client, JSON: "mtu", Label: "mtu", Record: "mtu"},
	28: {Name: "broadcast address", Use: Client, Record: "broadcast"},
	31: {Name: "router discovery"},
	33: {Name: "static routes"},
	40: {Name: "NIS domain"},
	41: {Name: "NIS servers"},
	42: {
		Name: "NTP servers", Use: HandedOn, JSON: "ntp", Label: "ntp", Record: "ntp",
		Doc: "Time servers (option 42).", AddrsField: func(s *Servers) *[]netip.Addr { return &s.NTP },
	},
	43: {Name: "vendor specific"},
	44: {
		Name: "NetBIOS name server", Use: HandedOn, JSON: "wins", Label: "wins", Record: "wins",
		Doc: "NetBIOS name servers (option 44).", AddrsField: func(s *Servers) *[]netip.Addr { return &s.WINS },
	},
	46:  {Name: "NetBIOS node type"},
	47:  {Name: "NetBIOS scope"},
	50:  {Name: "requested address", Use: Client},
	51:  {Name: "lease time", Use: Client, Record: "duration"},
	52:  {Name: "option overload", Use: Client},
	53:  {Name: "message type", Use: Client},
	54:  {Name: "server identifier", Use: Client, JSON: "server", Label: "server", Record: "server"},
	55:  {Name: "parameter request list", Use: Client},
	56:  {Name: "message", Use: Client},
	57:  {Name: "maximum message size", Use: Client},
	58:  {Name: "renewal time", Use: Client, Record: "t1"},
	59:  {Name: "rebinding time", Use: Client, Record: "t2"},
	60:  {Name: "vendor class"},
	61:  {Name: "client identifier", Use: Client, JSON: "client_id", Label: "client id", Record: "client_id"},
	66:  {Name: "TFTP server name"},
	67:  {Name: "boot file name"},
	77:  {Name: "user class"},
	80:  {Name: "rapid commit", Use: Client},
	81:  {Name: "client FQDN", Use: HandedOn, JSON: "fqdn", Label: "fqdn", Record: "fqdn"},
	82:  {Name: "relay agent information", Use: Client},
	90:  {Name: "authentication", Use: Client},
	93:  {Name: "client architecture"},
	100: {Name: "POSIX time zone", Use: HandedOn, JSON: "timezone", Label: "time zone", Record: "posix_zone"},
	101: {Name: "time zone name", Use: HandedOn, JSON: "timezone", Label: "time zone", Record: "zone"},
	108: {Name: "IPv6-only preferred", Use: Client},
	114: {
		Name: "captive portal", Use: HandedOn, JSON: "captive_portal", Label: "captive portal", Record: "captive_portal",
		Doc: "Where the API of the captive portal is (option 114, RFC 8910).", TextField: func(t *Texts) Text { return &t.CaptivePortal },
	},
	116: {Name: "auto-configure", Use: Client},
	118: {Name: "subnet selection"},
	119: {Name: "domain search list", Use: Client, JSON: "search", Label: "search", Record: "search"},
	120: {Name: "SIP servers", Use: HandedOn, JSON: "sip", Label: "sip", Record: "sip_servers"},
	121: {Name: "classless routes", Use: Client, JSON: "routes", Label: "route", Record: "routes"},
	124: {Name: "vendor-identifying class"},
	125: {Name: "vendor-identifying options", Use: HandedOn, JSON: "vendor", Label: "vendor option", Record: "vendors"},
	145: {Name: "forcerenew nonce capability", Use: Client, Record: "nonce"},
	162: {Name: "encrypted DNS", Use: HandedOn, JSON: "dnr", Label: "encrypted dns", Record: "resolvers"},
	249: {Name: "classless routes (Microsoft)", Use: Client, JSON: "routes", Label: "route", Record: "routes"},
	252: {
		Name: "web proxy discovery", Use: HandedOn, JSON: "wpad", Label: "proxy settings", Record: "wpad",
		Doc: "Where the web proxy configuration is (option 252).", TextField: func(t *Texts) Text { return &t.WPAD },
	},
	255: {Name: "end"},
}
