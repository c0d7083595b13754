package lab

import (
	"fmt"
	"syscall"
)

// A Peer is another DHCP client, run on an interface of a space.
type Peer struct {
	*Process
	// Renew and Release ask the client to do so; nil if it has no way to.
	Renew, Release func(t T)
}

// A PeerKind is a DHCP client program.
type PeerKind struct {
	Name     string
	Programs []string
	// Bound matches the line that the client prints when it has the lease,
	// Renewed the one when it has extended it.
	Bound, Renewed string
	// Start starts the client and returns at once.
	Start func(t T, s *Space, ifname string) *Peer
}

// Peers are the other clients that tests and benchmarks know to run.
var Peers = []*PeerKind{udhcpc, dhclient, dhcpcd}

// PeerByName returns one of [Peers]; nil if there is none.
func PeerByName(name string) *PeerKind {
	for _, p := range Peers {
		if p.Name == name {
			return p
		}
	}
	return nil
}

const udhcpcScript = `#!/bin/sh
echo "script $1 $ip $mask $lease"
case $1 in
deconfig) ip addr flush dev $interface scope global; ip link set $interface up;;
bound|renew) ip addr replace $ip/$mask dev $interface valid_lft $lease preferred_lft $lease;;
esac
`

var udhcpc = &PeerKind{
	Name: "udhcpc", Programs: []string{"udhcpc", "ip"}, Bound: "lease of .* obtained", Renewed: "lease of .* obtained",
	Start: func(t T, s *Space, ifname string) *Peer {
		script := s.Write(t, "udhcpc-"+ifname+".sh", udhcpcScript)
		s.Run(t, "chmod", "755", script)
		p := s.Start(t, "udhcpc", "-f", "-i", ifname, "-s", script, "-p", s.Path("udhcpc-"+ifname+".pid"), "-O", "staticroutes")
		return &Peer{
			Process: p,
			Renew:   func(t T) { signal(t, p, syscall.SIGUSR1) },
			Release: func(t T) { signal(t, p, syscall.SIGUSR2) },
		}
	},
}

var dhclient = &PeerKind{
	Name: "dhclient", Programs: []string{"dhclient", "ip"}, Bound: "^bound to ", Renewed: "^bound to ",
	Start: func(t T, s *Space, ifname string) *Peer {
		conf := s.Write(t, "dhclient.conf", "timeout 20;\nrequest subnet-mask, broadcast-address, routers, domain-name-servers, interface-mtu;\n")
		common := []string{"-4", "-v", "-cf", conf, "-lf", s.Path("dhclient-" + ifname + ".leases"), "-pf", s.Path("dhclient-" + ifname + ".pid")}
		p := s.Start(t, "dhclient", append([]string{"-d"}, append(common, ifname)...)...)
		return &Peer{
			Process: p,
			Release: func(t T) { s.Run(t, "dhclient", append([]string{"-r"}, append(common, ifname)...)...) },
		}
	},
}

func startDhcpcd(t T, s *Space, ifname string) *Peer {
	conf := s.Write(t, "dhcpcd-"+ifname+".conf", fmt.Sprintf(`ipv4only
clientid
persistent
noarp
noipv4ll
option domain_name_servers, domain_name, classless_static_routes, interface_mtu
require dhcp_server_identifier
nohook resolv.conf, hostname, ntp
allowinterfaces %s
`, ifname))
	args := append([]string{"-4", "-B", "-d", "-f", conf}, ifname)
	verbs := []string{"-4", "-f", conf}
	run := func(flag string) func(t T) {
		return func(t T) { s.Run(t, "dhcpcd", append(append([]string{}, verbs...), flag, ifname)...) }
	}
	p := s.Start(t, "dhcpcd", args...)
	return &Peer{Process: p, Renew: run("-N"), Release: run("-k")}
}

var dhcpcd = &PeerKind{
	Name: "dhcpcd", Programs: []string{"dhcpcd"}, Bound: "adding IP address", Renewed: "leased .* for",
	Start: func(t T, s *Space, ifname string) *Peer { return startDhcpcd(t, s, ifname) },
}

func signal(t T, p *Process, sig syscall.Signal) {
	t.Helper()
	if err := p.Signal(sig); err != nil {
		t.Fatalf("%s: signal %v: %v", p.Name, sig, err)
	}
}
