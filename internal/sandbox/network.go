//go:build linux

package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A NetworkConfig describes a cable. The zero value of a field means the
// default that is named at it. Several networks can exist in one process if
// their client ends have different names.
type NetworkConfig struct {
	// Client is the name of the client's end, in the namespace of the calling
	// thread: "eth0". ClientMAC is its hardware address: 02:00:00:00:00:02.
	Client    string
	ClientMAC net.HardwareAddr
	// Server is the name of the server's end, in the other namespace: "s0".
	// ServerMAC is its hardware address: 02:00:00:00:00:01.
	Server    string
	ServerMAC net.HardwareAddr
	// Address is that of the server's end: 10.77.0.1/24.
	Address netip.Prefix
	// Down leaves the client's end administratively down.
	Down bool
}

// A Network is a cable between a client's and a server's network namespace.
type Network struct {
	conf   NetworkConfig
	client netns.NsHandle
	server netns.NsHandle
}

// NewNetwork creates the server's namespace and a veth pair to it, and brings
// the loopback interfaces up. Its client end is in the network namespace of
// the process, which has to be a sandbox's: see [Enter].
func NewNetwork(conf NetworkConfig) (_ *Network, err error) {
	if !Inside() {
		return nil, errors.New("sandbox: this process is not in a sandbox")
	}
	conf.Client = cmp.Or(conf.Client, "eth0")
	conf.Server = cmp.Or(conf.Server, "s0")
	if conf.ClientMAC == nil {
		conf.ClientMAC = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	}
	if conf.ServerMAC == nil {
		conf.ServerMAC = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	}
	if !conf.Address.IsValid() {
		conf.Address = netip.MustParsePrefix("10.77.0.1/24")
	}
	n := &Network{conf: conf, client: netns.None(), server: netns.None()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("sandbox: network %s: %w", conf.Client, err), n.Close())
		}
	}()
	if n.client, err = netns.Get(); err != nil {
		return n, err
	}
	if n.server, err = newNamespace(); err != nil {
		return n, fmt.Errorf("create a network namespace: %w", err)
	}
	err = inNamespace(n.client, func() error {
		if err := setUp("lo"); err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.HardwareAddr = conf.Client, conf.ClientMAC
		err := netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: attrs, PeerName: conf.Server, PeerHardwareAddr: conf.ServerMAC,
			PeerNamespace: netlink.NsFd(n.server),
		})
		if err != nil {
			return fmt.Errorf("create a veth pair: %w", err)
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	err = n.Do(func() error {
		if err := setUp("lo"); err != nil {
			return err
		}
		link, err := netlink.LinkByName(conf.Server)
		if err != nil {
			return err
		}
		a := conf.Address
		ipnet := &net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), a.Addr().BitLen())}
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ipnet}); err != nil {
			return fmt.Errorf("%s: add address %s: %w", conf.Server, a, err)
		}
		return setUp(conf.Server)
	})
	if err != nil || conf.Down {
		return n, err
	}
	return n, n.connect()
}

// connect sets the client's end up and waits until frames can go both ways: the
// kernel opens the far end a moment later, and drops what is sent there before.
func (n *Network) connect() error {
	changes, done := make(chan netlink.LinkUpdate, 64), make(chan struct{})
	defer close(done)
	opts := netlink.LinkSubscribeOptions{Namespace: &n.server, ListExisting: true}
	if err := netlink.LinkSubscribeWithOptions(changes, done, opts); err != nil {
		return fmt.Errorf("watch %s: %w", n.conf.Server, err)
	}
	if err := inNamespace(n.client, func() error { return setUp(n.conf.Client) }); err != nil {
		return err
	}
	late := time.NewTimer(connectLimit)
	defer late.Stop()
	for {
		select {
		case c, ok := <-changes:
			if !ok {
				return fmt.Errorf("watch %s: the kernel ended the report", n.conf.Server)
			}
			if c.Attrs().Name == n.conf.Server && c.Attrs().OperState == netlink.OperUp {
				return nil
			}
		case <-late.C:
			return fmt.Errorf("%s has no carrier after %v", n.conf.Server, connectLimit)
		}
	}
}

// connectLimit is how long a cable may take to be usable.
const connectLimit = 10 * time.Second

func setUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("%s: set up: %w", name, err)
	}
	return nil
}

// Client returns the name of the client's end.
func (n *Network) Client() string { return n.conf.Client }

// Close removes the cable. The server's namespace goes with the last socket in it.
func (n *Network) Close() error {
	var errs []error
	if n.client.IsOpen() {
		errs = append(errs, inNamespace(n.client, func() error {
			link, err := netlink.LinkByName(n.conf.Client)
			if errors.As(err, new(netlink.LinkNotFoundError)) {
				return nil
			} else if err != nil {
				return err
			}
			return netlink.LinkDel(link)
		}), n.client.Close())
	}
	if n.server.IsOpen() {
		errs = append(errs, n.server.Close())
	}
	return errors.Join(errs...)
}

// Do runs f on a thread that is in the server's network namespace. Goroutines
// that f starts are not; sockets that f opens stay there.
func (n *Network) Do(f func() error) error { return inNamespace(n.server, f) }

// DoClient runs f on a thread that is in the client's network namespace.
func (n *Network) DoClient(f func() error) error { return inNamespace(n.client, f) }

// SetCarrier takes the client's carrier away or gives it back, by setting the
// server's end down or up.
func (n *Network) SetCarrier(on bool) error {
	return n.Do(func() error {
		if on {
			return setUp(n.conf.Server)
		}
		link, err := netlink.LinkByName(n.conf.Server)
		if err != nil {
			return err
		}
		return netlink.LinkSetDown(link)
	})
}

// Serve starts a DHCP server at the server's end. It stops when it is closed.
func (n *Network) Serve(conf ServerConfig) (*Server, error) {
	if !conf.Address.IsValid() {
		conf.Address = n.conf.Address
	}
	conf, err := conf.withDefaults()
	if err != nil {
		return nil, err
	}
	return serve(n.server, n.conf.Server, conf)
}

// newNamespace creates a network namespace and stays outside of it.
func newNamespace() (ns netns.NsHandle, err error) {
	err = onThread(func() error {
		ns, err = netns.New()
		return err
	})
	return ns, err
}

// inNamespace runs f on a thread that is in ns.
func inNamespace(ns netns.NsHandle, f func() error) error {
	return onThread(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("enter the network namespace: %w", err)
		}
		return f()
	})
}

// onThread runs f on a thread that is used for nothing else before it is back
// in the network namespace that it came from. A thread that cannot go back is
// ended: its goroutine exits without unlocking it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		back, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		err = f()
		if netns.Set(back) == nil {
			runtime.UnlockOSThread()
		}
		_ = back.Close()
		done <- err
	}()
	return <-done
}
