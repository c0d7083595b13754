package ipconfig

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/daemon"
	"github.com/lessee/lessee/internal/sandbox"
	"github.com/lessee/lessee/internal/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { sandboxtest.Main(m) }

// startDaemon runs the daemon until the test ends; it is ready on return.
func startDaemon(t *testing.T, adapters ...string) {
	t.Helper()
	dir := sandboxtest.Dir(t)
	socket := filepath.Join(dir, "s")
	t.Setenv(lessee.SocketEnv, socket)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "n"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	t.Setenv("NOTIFY_SOCKET", notify.LocalAddr().String())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var log bytes.Buffer
	go func() {
		err := daemon.Run(ctx, daemon.Options{
			Adapters: adapters, ConfigPath: filepath.Join(dir, "lessee.toml"), SocketPath: socket, StateDir: filepath.Join(dir, "state"), Log: &log,
		})
		_ = notify.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	if _, err := notify.Read(make([]byte, 256)); err != nil {
		t.Fatal("the daemon did not start: ", err)
	}
}

// real runs a command line on this machine.
func real(t *testing.T, locale string, args ...string) (status int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	status = Run(Env{Stdout: &o, Stderr: &e, Getenv: func(name string) string { return map[string]string{"LC_ALL": locale}[name] }}, args)
	return status, o.String(), e.String()
}

// A real lease, in both languages.
func TestRealLease(t *testing.T) {
	n, server := sandboxtest.Network(t, sandbox.NetworkConfig{Client: "ip0", Server: "sv0"}, sandbox.ServerConfig{Domain: "example.test"})

	link, err := netlink.LinkByName("ip0")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkAddAltName(link, "uplink"); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, "ip0")

	status, out, errOut := real(t, "C", "/renew", "ip0")
	if status != 0 || errOut != "" || !strings.Contains(out, "   IPv4 Address. . . . . . . . . . . : 10.77.0.100\n") {
		t.Fatalf("renew: status %d, stdout %s, stderr %s", status, out, errOut)
	}
	status, out, errOut = real(t, "en_US.UTF-8", "/all")
	if status != 0 || errOut != "" {
		t.Errorf("/all: status %d, stderr %s", status, errOut)
	}
	for _, want := range []string{
		`(?m)^Linux IP Configuration$`,
		`(?m)^   Host Name . . . . . . . . . . . . : \S+$`,
		`(?m)^Ethernet adapter ip0:$`,
		`(?m)^   Connection-specific DNS Suffix  . : example\.test$`,
		`(?m)^   Physical Address. . . . . . . . . : 02-00-00-00-00-02$`,
		`(?m)^   DHCP Enabled. . . . . . . . . . . : Yes$`,
		`(?m)^   IPv4 Address. . . . . . . . . . . : 10\.77\.0\.100\(Preferred\)$`,
		`(?m)^   Subnet Mask . . . . . . . . . . . : 255\.255\.255\.0$`,
		`(?m)^   Lease Obtained. . . . . . . . . . : \w+day, \w+ \d+, \d{4} \d+:\d\d:\d\d [AP]M$`,
		`(?m)^   Lease Expires . . . . . . . . . . : \w+day, \w+ \d+, \d{4} \d+:\d\d:\d\d [AP]M$`,
		`(?m)^   Default Gateway . . . . . . . . . : 10\.77\.0\.1$`,
		`(?m)^   DHCP Server . . . . . . . . . . . : 10\.77\.0\.1$`,
		`(?m)^   DNS Servers . . . . . . . . . . . : 10\.77\.0\.1$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}

	status, out, errOut = real(t, "fr_FR.UTF-8", "-Release", "ip?")
	if status != 0 || errOut != "" || strings.Contains(out, "10.77.0.100") || !strings.Contains(out, "Carte Ethernet ip0 :") {
		t.Errorf("release: status %d, stdout %s, stderr %s", status, out, errOut)
	}
	if l := server.Leases(); len(l) != 1 || l[0].State != sandbox.Released {
		t.Errorf("the server's opinion: %+v", l)
	}
	status, _, errOut = real(t, "fr_FR.UTF-8", "/release", "ip*")
	if status != 1 || errOut != "ipconfig: ip0 n'a pas pu être libéré : l'adaptateur n'a pas de bail (erreur 1228)\n" {
		t.Errorf("a second release: status %d, stderr %s", status, errOut)
	}
	status, out, errOut = real(t, "fr_FR.UTF-8", "/renew", "uplink")
	if status != 0 || errOut != "" || !strings.Contains(out, " : 10.77.0.100\n") {
		t.Errorf("renew by the alternative name: status %d, stdout %s, stderr %s", status, out, errOut)
	}
	status, out, _ = real(t, "fr_FR.UTF-8", "/all")
	if status != 0 || !regexp.MustCompile(`(?m)^   Bail expirant [. ]+ : (lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) \d+(er)? \p{L}+ \d{4} \d\d:\d\d:\d\d$`).MatchString(out) {
		t.Errorf("/all in French: status %d\n%s", status, out)
	}
	if status, _, errOut := real(t, "C", "/renew", "nosuch*"); status != 1 || !strings.Contains(errOut, `"nosuch*"`) {
		t.Errorf("no adapter: status %d, stderr %s", status, errOut)
	}

	// Without a cable.
	if err := n.SetCarrier(false); err != nil {
		t.Fatal(err)
	}
	status, out, errOut = real(t, "C", "/renew", "ip0")
	if status != 1 || errOut != "ipconfig: ip0 could not be renewed: the adapter is down or has no carrier (error 1222)\n" ||
		!strings.Contains(out, "   Media State . . . . . . . . . . . : Media disconnected\n") {
		t.Errorf("without a cable: status %d, stdout %s, stderr %s", status, out, errOut)
	}
}

// Without a daemon the report is the kernel's, and nothing can be changed.
func TestWithoutDaemon(t *testing.T) {
	sandboxtest.Network(t, sandbox.NetworkConfig{Client: "ip1", Server: "sv1"})
	t.Setenv(lessee.SocketEnv, filepath.Join(t.TempDir(), "none"))
	if status, out, errOut := real(t, "C"); status != 0 || errOut != "" || !strings.Contains(out, "Ethernet adapter ip1:\n") {
		t.Errorf("status %d, stdout %s, stderr %s", status, out, errOut)
	}
	if status, _, errOut := real(t, "C", "/renew", "ip1"); status != 1 || !strings.HasPrefix(errOut, "ipconfig: ip1 could not be renewed: ") {
		t.Errorf("status %d, stderr %s", status, errOut)
	}
	if status, _, errOut := real(t, "C", "/renew"); status != 1 || errOut != "ipconfig: no adapter is managed by DHCP: nothing was done\n" {
		t.Errorf("status %d, stderr %s", status, errOut)
	}
}

func TestSearchList(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"": nil,
		"nameserver 192.0.2.1\nsearch a.test b.test\n# search d.test\n": {"a.test", "b.test"},
		"search a.test\ndomain c.test\n":                                {"c.test"},
		"search\n":                                                      nil,
	} {
		if got := searchList([]byte(in)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestThisHost(t *testing.T) {
	t.Parallel()
	h := here{}.Host()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if short, _, _ := strings.Cut(name, "."); h.Name != short || h.System != "Linux" {
		t.Errorf("got %+v, the host is %s", h, name)
	}
}
