package test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/iphlpapi"
	"github.com/lessee/lessee/test/lab"
)

func init() { helpers["iphlpapi"] = callIphlpapi }

// callIphlpapi runs inside the client's namespace and does what the contract's
// example does: list, release and renew by name. It prints each code.
func callIphlpapi() int {
	var size uint32
	if err := iphlpapi.GetInterfaceInfo(nil, &size); !errors.Is(err, iphlpapi.ERROR_INSUFFICIENT_BUFFER) {
		fmt.Println("size:", err)
		return 1
	}
	list, err := iphlpapi.Interfaces()
	if err != nil {
		fmt.Println("interfaces:", err)
		return 1
	}
	code := func(err error) string {
		if err == nil {
			return "0"
		}
		var e iphlpapi.Errno
		if !errors.As(err, &e) {
			return err.Error()
		}
		return fmt.Sprint(uint32(e))
	}
	for _, a := range list {
		fmt.Printf("adapter %d %s\n", a.Index, a.NameString())
		if a.NameString() != "c0" {
			continue
		}
		wrong := a
		wrong.Index += 100 // only the name counts
		fmt.Println("release", code(iphlpapi.IpReleaseAddress(&wrong)))
		fmt.Println("again", code(iphlpapi.IpReleaseAddress(&a)))
		fmt.Println("renew", code(iphlpapi.IpRenewAddress(&a)))
		nobody := a
		if err := nobody.SetName("nobody0"); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("nobody", code(iphlpapi.IpRenewAddress(&nobody)))
		fmt.Println("nil", code(iphlpapi.IpRenewAddress(nil)))
	}
	return 0
}

// TestIphlpapi holds the contract in Go to a real daemon and a real server.
func TestIphlpapi(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(socket string) lab.Result {
		cmd := h.client.Command(t, self)
		cmd.Env = append(cmd.Environ(), helperEnv+"=iphlpapi", lessee.SocketEnv+"="+socket)
		return h.client.Result(t, cmd)
	}
	mark := h.cap.Mark()
	want := fmt.Sprintf("adapter %d c0\nrelease 0\nagain 1228\nrenew 0\nnobody 2\nnil 87\n", a.Index)
	if r := run(d.Socket); r.Status != 0 || r.Stdout != want {
		t.Errorf("status %d, got\n%s%swant\n%s", r.Status, r.Stdout, r.Stderr, want)
	}
	h.cap.AwaitClient(mark, patience, release)
	h.cap.AwaitServer(mark, patience, ack)
	want = fmt.Sprintf("adapter %d c0\nrelease 127\nagain 127\nrenew 127\nnobody 127\nnil 87\n", a.Index)
	if r := run(h.client.Path("none")); r.Status != 0 || r.Stdout != want {
		t.Errorf("without a daemon: status %d, got\n%s%swant\n%s", r.Status, r.Stdout, r.Stderr, want)
	}
}

// TestHTTP checks that the API can be used by anything that speaks HTTP.
func TestHTTP(t *testing.T) {
	t.Parallel()
	lab.Need(t, "curl")
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	curl := func(args ...string) string {
		return h.client.Run(t, "curl", append([]string{"-sS", "-m", "20", "--unix-socket", d.Socket}, args...)...)
	}
	if out := curl("http://lessee/v1/adapters"); !strings.HasPrefix(out, "[") || !contains(out, `"c0"`) {
		t.Errorf("adapters: %s", out)
	}
	status := []string{"-o", "/dev/null", "-w", "%{http_code}"}
	post := append([]string{"-X", "POST", "-H", "Content-Type: application/json", "-d", "{}"}, status...)
	if out := curl(append(post, "http://lessee/v1/adapters/c0/renew")...); out != fmt.Sprint(http.StatusNoContent) && out != fmt.Sprint(http.StatusOK) {
		t.Errorf("renew: %s", out)
	}
	if out := curl(append(status, "http://lessee/v1/adapters/none0")...); out != fmt.Sprint(http.StatusNotFound) {
		t.Errorf("an adapter that is not there: %s", out)
	}
}

// TestDemo runs the demonstration as root and as an ordinary user. The space
// that it runs in must be untouched after it.
func TestDemo(t *testing.T) {
	t.Parallel()
	t.Run("root", func(t *testing.T) {
		t.Parallel()
		l := lab.New(t)
		s := l.Space("machine")
		demo(t, s, s.CLI(t, nil, "demo"))
	})
	t.Run("ordinary user", func(t *testing.T) {
		t.Parallel()
		lab.NeedIDs(t)
		l := lab.New(t)
		s := l.Space("machine")
		cmd := s.Command(t, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", lab.Binary(t), "demo")
		cmd.Dir = "/"
		cmd.Env = append(cmd.Environ(), "HOME=/nonexistent", "LC_ALL=C")
		demo(t, s, s.Result(t, cmd))
	})
}

func demo(t *testing.T, s *lab.Space, r lab.Result) {
	t.Helper()
	if r.Status != 0 || r.Took > 10*time.Second {
		t.Errorf("status %d after %v\n%s%s", r.Status, r.Took, r.Stdout, r.Stderr)
	}
	for _, w := range []string{"DISCOVER", "OFFER", "REQUEST", "ACK", "RELEASE", "bound"} {
		if !contains(r.Stdout, w) {
			t.Errorf("it does not show %s:\n%s", w, r.Stdout)
		}
	}
	links, err := s.Net.LinkList()
	if err != nil || len(links) != 1 {
		t.Errorf("links after it: %v %v", links, err)
	}
	if got := s.ResolvConf(); got != "# of the lab\n" {
		t.Errorf("resolv.conf after it: %q", got)
	}
}

// TestPlainOutput checks that what is piped is plain.
func TestPlainOutput(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	list := d.Must(t, "list")
	if bytes.ContainsAny([]byte(list.Stdout), "\x1b\r") {
		t.Errorf("escape sequences in %q", list.Stdout)
	}
	for line := range strings.Lines(list.Stdout) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("longer than 80 columns: %q", line)
		}
	}
	for _, w := range []string{"c0", "bound", a.IPv4.Address.Addr().String(), "lessee"} {
		if !slices.Contains(strings.FieldsFunc(list.Stdout, func(r rune) bool { return strings.ContainsRune(" \n/", r) }), w) {
			t.Errorf("%q is not in\n%s", w, list.Stdout)
		}
	}
	if r := d.Must(t, "show", "c0"); !contains(r.Stdout, "10.77.0.1") {
		t.Errorf("show:\n%s", r.Stdout)
	}
	if v := d.Must(t, "version"); !strings.HasPrefix(v.Stdout, "lessee ") {
		t.Errorf("version: %q", v.Stdout)
	}
}
