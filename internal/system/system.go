// Package system is the DHCP client that the operating system brings along, as
// package iphlpapi shows it: on Windows it takes the place of the daemon.
package system

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/iphlpapi"
	"github.com/lessee/lessee/reason"
)

// Manager is the name of the system's client as lessee.Adapter.Manager.
const Manager = "windows"

// A Client asks the system. The zero Client is ready; its methods may be called
// from any goroutine, and their errors are of type [*lessee.Error].
type Client struct{}

// An extra is what GetAdaptersInfo does not tell of an adapter.
type extra struct {
	name    string // the one that users know
	mtu     int
	carrier bool
}

// Adapters lists the adapters enabled for IPv4, sorted by index.
func (c Client) Adapters(ctx context.Context) ([]lessee.Adapter, error) {
	return await(ctx, "list", "", adapters)
}

func adapters() ([]lessee.Adapter, error) {
	first, err := iphlpapi.AdaptersInfo()
	if err != nil && !errors.Is(err, iphlpapi.ERROR_NO_DATA) {
		return nil, err
	}
	more, err := extras()
	if err != nil {
		return nil, err
	}
	all := []lessee.Adapter{}
	for info := range first.All() {
		per, err := iphlpapi.PerAdapterInfo(info.Index)
		if err != nil {
			continue // it has gone since
		}
		all = append(all, describe(info, per, more[info.Index]))
	}
	slices.SortFunc(all, func(a, b lessee.Adapter) int { return a.Index - b.Index })
	return all, nil
}

// describe puts together what is told of an adapter.
func describe(info *iphlpapi.IpAdapterInfo, per *iphlpapi.IpPerAdapterInfo, more extra) lessee.Adapter {
	a := lessee.Adapter{
		Index: int(info.Index), Name: info.NameString(), MAC: info.HardwareAddr().String(),
		MTU: more.mtu, Up: true, Carrier: more.carrier, Manager: "none",
	}
	if more.name != "" && more.name != a.Name {
		a.Name, a.AltNames = more.name, []string{a.Name}
	}
	v := &lessee.IPv4{State: "disabled", Routers: info.GatewayList.Addresses(), DNS: per.DnsServerList.Addresses()}
	for s := &info.IpAddressList; s != nil && !v.Address.IsValid(); s = s.Next {
		if p := s.Prefix(); p.IsValid() && !p.Addr().IsUnspecified() {
			v.Address = p
		}
	}
	a.IPv4 = v
	if info.DhcpEnabled == 0 {
		return a
	}
	a.Manager = Manager
	switch {
	case !v.Address.IsValid():
		v.State = "init"
		return a
	case v.Address.Addr().IsLinkLocalUnicast():
		v.State = "link-local"
		return a
	}
	v.State = "bound"
	if s := info.DhcpServer.Addresses(); len(s) > 0 {
		v.Server = s[0]
	}
	if info.HaveWins != 0 {
		v.WINS = append(info.PrimaryWinsServer.Addresses(), info.SecondaryWinsServer.Addresses()...)
	}
	if info.LeaseObtained > 0 {
		v.Obtained = time.Unix(int64(info.LeaseObtained), 0).UTC()
	}
	switch {
	case info.LeaseExpires == math.MaxInt32:
		v.Infinite = true
	case info.LeaseExpires > 0:
		v.Expires = time.Unix(int64(info.LeaseExpires), 0).UTC()
	}
	return a
}

// Adapter returns one adapter, by the name that users know or the system's own.
func (c Client) Adapter(ctx context.Context, name string) (lessee.Adapter, error) {
	return await(ctx, "show", name, func() (lessee.Adapter, error) { return adapter(name) })
}

func adapter(name string) (lessee.Adapter, error) {
	all, err := adapters()
	if err != nil {
		return lessee.Adapter{}, err
	}
	i := slices.IndexFunc(all, func(a lessee.Adapter) bool {
		is := func(n string) bool { return sameName(n, name) }
		return is(a.Name) || slices.ContainsFunc(a.AltNames, is)
	})
	if i < 0 {
		return lessee.Adapter{}, iphlpapi.ERROR_FILE_NOT_FOUND
	}
	return all[i], nil
}

// Renew renews the adapter's lease and returns when its address is usable.
func (c Client) Renew(ctx context.Context, name string) error {
	return c.do(ctx, "renew", name, iphlpapi.IpRenewAddress)
}

// Release gives the adapter's lease back.
func (c Client) Release(ctx context.Context, name string) error {
	return c.do(ctx, "release", name, iphlpapi.IpReleaseAddress)
}

func (c Client) do(ctx context.Context, op, name string, call func(*iphlpapi.IpAdapterIndexMap) error) error {
	_, err := await(ctx, op, name, func() (struct{}, error) {
		a, err := adapter(name)
		if err != nil {
			return struct{}{}, err
		}
		list, err := iphlpapi.Interfaces()
		if err != nil {
			return struct{}{}, err
		}
		for i := range list {
			if int(list[i].Index) == a.Index {
				return struct{}{}, call(&list[i])
			}
		}
		return struct{}{}, iphlpapi.ERROR_FILE_NOT_FOUND
	})
	return err
}

// await runs f, which cannot be interrupted, until the context ends.
func await[T any](ctx context.Context, op, name string, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	var none T
	select {
	case r := <-done:
		if r.err == nil {
			return r.value, nil
		}
		return none, failed(op, name, lessee.Code(r.err), r.err)
	case <-ctx.Done():
		code := errno.ERROR_CANCELLED
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			code = errno.ERROR_SEM_TIMEOUT
		}
		return none, failed(op, name, code, ctx.Err())
	}
}

func failed(op, name string, code errno.Errno, err error) *lessee.Error {
	e := &lessee.Error{Op: op, Adapter: name, Code: code, Err: err}
	if code == errno.ERROR_FILE_NOT_FOUND {
		e.Cause.Reason = reason.NoSuchAdapter
	}
	return e
}

// Up fails: the system manages all adapters.
func (c Client) Up(_ context.Context, name string) error {
	return failed("up", name, errno.ERROR_NOT_SUPPORTED, nil)
}

// Down fails as Up does.
func (c Client) Down(_ context.Context, name string, _ bool) error {
	return failed("down", name, errno.ERROR_NOT_SUPPORTED, nil)
}

// Version fails: the system's client has no version of its own.
func (c Client) Version(context.Context) (lessee.VersionInfo, error) {
	return lessee.VersionInfo{}, failed("version", "", errno.ERROR_NOT_SUPPORTED, nil)
}

// Events tells of nothing: the system has no events of this kind.
func (c Client) Events(context.Context) iter.Seq2[lessee.Event, error] {
	return func(func(lessee.Event, error) bool) {}
}

// Renew6 does for IPv6 what Renew does for IPv4. The name is the one that users
// know; "" means all adapters.
func (c Client) Renew6(ctx context.Context, name string) error {
	return six(ctx, "renew", name)
}

// Release6 does for IPv6 what Release does for IPv4.
func (c Client) Release6(ctx context.Context, name string) error {
	return six(ctx, "release", name)
}

func six(ctx context.Context, op, name string) error {
	output, err := ipconfig(ctx, "/"+op+"6", name)
	if err == nil {
		return nil
	}
	e := failed(op, name, errno.ERROR_GEN_FAILURE, err)
	switch {
	case lessee.Code(err) == errno.ERROR_NOT_SUPPORTED:
		e.Code = errno.ERROR_NOT_SUPPORTED
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Code = errno.ERROR_SEM_TIMEOUT
	case ctx.Err() != nil:
		e.Code = errno.ERROR_CANCELLED
	default:
		if said := lastLine(output); said != "" {
			e.Cause = reason.Cause{Reason: reason.SystemFailed, Fault: &reason.Fault{Text: said}}
		}
	}
	return e
}

// lastLine is the last line that has something in it: what went wrong.
func lastLine(output string) string {
	lines := strings.FieldsFunc(output, func(r rune) bool { return r == '\n' || r == '\r' })
	for _, l := range slices.Backward(lines) {
		if l = strings.TrimSpace(l); l != "" {
			return l
		}
	}
	return ""
}
