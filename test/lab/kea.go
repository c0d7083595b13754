package lab

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

// The control socket and the lease_cmds hook tell what the server holds.
var kea = &Kind{
	Name: "kea", Programs: []string{"kea-dhcp4"}, ShortLeases: true, file: "leases.csv",
	lay: func(t T, s *Server) {
		hooks, _ := filepath.Glob("/usr/lib/*/kea/hooks/libdhcp_lease_cmds.so")
		if len(hooks) == 0 {
			Skip(t, "kea: the hook libdhcp_lease_cmds.so is not installed")
		}
		c := s.Config
		options := []map[string]any{}
		opt := func(name, data string) { options = append(options, map[string]any{"name": name, "data": data}) }
		if c.Router.IsValid() {
			opt("routers", c.Router.String())
		}
		if len(c.DNS) > 0 {
			opt("domain-name-servers", join(c.DNS, ", ", netip.Addr.String))
		}
		if c.Domain != "" {
			opt("domain-name", c.Domain)
		}
		if len(c.Search) > 0 {
			opt("domain-search", strings.Join(c.Search, ", "))
		}
		if c.MTU > 0 {
			opt("interface-mtu", fmt.Sprint(c.MTU))
		}
		if len(c.Routes) > 0 {
			options = append(options, map[string]any{
				"code": 121, "csv-format": false, "data": hex.EncodeToString(classless(c.Routes)), "always-send": true,
			})
		}
		dhcp4 := map[string]any{
			"interfaces-config": map[string]any{"interfaces": []string{"s0"}, "dhcp-socket-type": "raw"},
			"lease-database":    map[string]any{"type": "memfile", "persist": true, "name": s.path("leases.csv"), "lfc-interval": 0},
			"control-socket":    map[string]any{"socket-type": "unix", "socket-name": s.path("sock")},
			"hooks-libraries":   []any{map[string]any{"library": hooks[0]}},
			"authoritative":     true,
			"valid-lifetime":    seconds(c.Lease),
			"option-def":        []any{map[string]any{"name": "classless", "code": 121, "type": "binary", "space": "dhcp4"}},
			"option-data":       options,
			"subnet4": []any{map[string]any{
				"subnet": s.Address.Masked().String(),
				"pools":  []any{map[string]any{"pool": c.First.String() + "-" + c.Last.String()}},
			}},
			"loggers": []any{map[string]any{
				"name": "kea-dhcp4", "severity": "INFO", "output_options": []any{map[string]any{"output": "stdout"}},
			}},
		}
		if c.T1 > 0 {
			dhcp4["renew-timer"] = seconds(c.T1)
		}
		if c.T2 > 0 {
			dhcp4["rebind-timer"] = seconds(c.T2)
		}
		b, err := json.MarshalIndent(map[string]any{"Dhcp4": dhcp4}, "", " ")
		if err != nil {
			t.Fatalf("kea: %v", err)
		}
		s.write(t, "conf", string(b))
	},
	run: func(t T, s *Server) *Process {
		cmd := s.Space.Command(t, "kea-dhcp4", "-c", s.path("conf"))
		cmd.Env = append(cmd.Environ(), "KEA_PIDFILE_DIR="+s.dir, "KEA_LOCKFILE_DIR="+s.dir)
		p := s.Space.StartCmd(t, cmd)
		p.AwaitLine(t, waitLong, "DHCP4_STARTED")
		return p
	},
	leases: func(t T, s *Server) []ServerLease {
		b, err := keaCommand(s.path("sock"), "lease4-get-all")
		if err != nil {
			t.Fatalf("kea: lease4-get-all: %v", err)
		}
		var answer struct {
			Result    int
			Text      string
			Arguments struct {
				Leases []struct {
					Address  netip.Addr `json:"ip-address"`
					MAC      string     `json:"hw-address"`
					State    int
					Last     int64 `json:"cltt"`
					Lifetime int64 `json:"valid-lft"`
				}
			}
		}
		// Result 3 says that there are none.
		if err := json.Unmarshal(b, &answer); err != nil || (answer.Result != 0 && answer.Result != 3) {
			t.Fatalf("kea: lease4-get-all: %v %s", err, b)
		}
		var out []ServerLease
		for _, l := range answer.Arguments.Leases {
			ends := time.Unix(l.Last+l.Lifetime, 0)
			out = append(out, ServerLease{
				Address: l.Address, MAC: l.MAC, Ends: ends, Active: l.State == 0 && time.Now().Before(ends),
			})
		}
		return out
	},
}

func keaCommand(socket, command string) ([]byte, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err = c.SetDeadline(time.Now().Add(waitShort)); err != nil {
		return nil, err
	}
	if _, err = fmt.Fprintf(c, `{"command": %q}`, command); err != nil {
		return nil, err
	}
	return io.ReadAll(c)
}
