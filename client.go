package lessee

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/environ"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/reason"
)

const (
	// DefaultSocket is where the daemon listens unless it is told otherwise.
	DefaultSocket = "/run/lessee/lessee.sock"
	// SocketEnv is the environment variable that names another socket.
	SocketEnv = "LESSEE_SOCKET"
	// DefaultTimeout is how long a call waits whose context has no deadline.
	DefaultTimeout = 20 * time.Second
	// MaxTimeout is the longest time that the daemon lets a call wait. A later
	// deadline counts as this one.
	MaxTimeout = 24 * time.Hour

	// maxSocketPath is what fits into a sockaddr_un beside its final NUL (unix(7)).
	maxSocketPath = 107
	// maxAnswer bounds an answer's body in bytes: thousands of adapters fit.
	maxAnswer = 16 << 20
	// grace is how much longer than its deadline a call waits for the daemon to
	// say itself that the time is over: it knows better what happened meanwhile.
	grace = 250 * time.Millisecond
)

// A Client talks to a lessee daemon through its Unix socket. It holds no
// connection between calls, needs no closing, and may be used from any
// goroutine.
type Client struct {
	socket string
	http   *http.Client
}

// An Option changes how [New] makes a client.
type Option func(*Client)

// WithSocket makes the client use the daemon's socket at path, at most 107
// bytes long. An empty path changes nothing.
func WithSocket(path string) Option {
	return func(c *Client) {
		if path != "" {
			c.socket = path
		}
	}
}

// New returns a client of the daemon whose socket the environment variable
// LESSEE_SOCKET names, or else of the one at [DefaultSocket]. It does not
// connect: whether there is a daemon shows in the first call.
func New(opts ...Option) *Client {
	c := &Client{socket: DefaultSocket}
	WithSocket(environ.Getenv(SocketEnv))(c)
	for _, o := range opts {
		o(c)
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "unix", c.socket)
			},
			// A connection kept from before the daemon's restart would fail
			// a call that need not fail; connecting anew costs microseconds.
			DisableKeepAlives:  true,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// Socket returns the path of the daemon's socket.
func (c *Client) Socket() string { return c.socket }

// Adapters lists all adapters but loopback, sorted by index, managed or not.
func (c *Client) Adapters(ctx context.Context) ([]Adapter, error) {
	var list []Adapter
	err := c.call(ctx, request{op: "list", method: http.MethodGet, path: "/v1/adapters"}, &list)
	return list, err
}

// Adapter returns one adapter, by its name or an alternative name. It fails
// with ERROR_FILE_NOT_FOUND if there is none.
func (c *Client) Adapter(ctx context.Context, name string) (Adapter, error) {
	var a Adapter
	err := c.call(ctx, request{op: "show", adapter: name, method: http.MethodGet}, &a)
	return a, err
}

// Renew asks for a lease now and returns when its address is usable: configured,
// not merely acknowledged. The server that gave the lease is asked to extend it;
// without a lease, or after a release, any server may give one. A call while
// another one runs joins it.
//
// It fails with
//   - ERROR_SEM_TIMEOUT if no server answered before the deadline: the present
//     lease, if there is one, stays valid;
//   - ERROR_FILE_NOT_FOUND if there is no such adapter or nobody manages it by DHCP;
//   - ERROR_NO_NETWORK if it is down or has no carrier;
//   - ERROR_DHCP_ADDRESS_CONFLICT if the only address offered is in use by another host;
//   - ERROR_NOT_SUPPORTED if another program manages it that has no way to do it;
//   - ERROR_ACCESS_DENIED if the caller may not do it;
//   - ERROR_CANCELLED if ctx was cancelled: the exchange itself goes on;
//   - ERROR_PROC_NOT_FOUND if the daemon could not be asked.
func (c *Client) Renew(ctx context.Context, name string) error {
	return c.command(ctx, "renew", name, false)
}

// Release gives the lease back and returns when the DHCPRELEASE has left the
// adapter and the address is gone. It stays without an address until somebody
// renews. Release fails like [Client.Renew], and with
// ERROR_ADDRESS_NOT_ASSOCIATED if there is no lease.
func (c *Client) Release(ctx context.Context, name string) error {
	return c.command(ctx, "release", name, false)
}

// Up makes the daemon manage the adapter by DHCP, sets it up if it is down, and
// returns when its address is usable. It fails like [Client.Renew]; the adapter
// stays under management where it fails with ERROR_SEM_TIMEOUT.
func (c *Client) Up(ctx context.Context, name string) error {
	return c.command(ctx, "up", name, false)
}

// Down ends the management of the adapter. It releases the lease first; with
// keep it sends nothing, and the address stays until its lease runs out.
func (c *Client) Down(ctx context.Context, name string, keep bool) error {
	return c.command(ctx, "down", name, keep)
}

// Version asks the daemon which build it is.
func (c *Client) Version(ctx context.Context) (VersionInfo, error) {
	var v VersionInfo
	err := c.call(ctx, request{op: "version", method: http.MethodGet, path: "/v1/version"}, &v)
	return v, err
}

// command runs one of the calls that change something.
func (c *Client) command(ctx context.Context, op, adapter string, keep bool) error {
	ctx, cancel := withDefault(ctx)
	defer cancel()
	body := struct {
		Timeout string `json:"timeout"`
		Keep    bool   `json:"keep,omitempty"`
	}{Keep: keep}
	// The nearest millisecond reads "20s", not "19.99987s", in messages.
	deadline, _ := ctx.Deadline()
	timeout := min(max(time.Until(deadline).Round(time.Millisecond), time.Millisecond), MaxTimeout)
	body.Timeout = timeout.String()
	return c.call(ctx, request{op: op, adapter: adapter, method: http.MethodPost, body: body}, nil)
}

// A request is one call of the API.
type request struct {
	op, adapter string
	method      string
	path        string // empty: that of the adapter, with op as its last element for a POST
	sub         string // or with this one
	query       url.Values
	body        any // nil: none
}

func withDefault(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}

// call sends r and decodes the answer into out, which may be nil. Every error
// it returns is an *Error.
func (c *Client) call(ctx context.Context, r request, out any) error {
	ctx, cancel := withDefault(ctx)
	defer cancel()
	began := time.Now()

	// The daemon ends the call at the deadline; ours comes a little later.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		if r.method == http.MethodPost && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			defer time.AfterFunc(grace, stop).Stop()
			<-inner.Done()
			return
		}
		stop()
	})()
	if err := ctx.Err(); err != nil {
		return c.failed(ctx, r, began, err)
	}

	resp, err := c.send(inner, r)
	if err != nil {
		return c.failed(ctx, r, began, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return c.failed(ctx, r, began, err)
	}
	if len(data) > maxAnswer {
		return c.notUnderstood(r, fmt.Sprintf("more than %d bytes", maxAnswer), nil)
	}
	if resp.StatusCode/100 != 2 {
		return c.refused(r, resp, data)
	}
	if out == nil {
		return nil
	}
	if !isJSON(resp, "application/json") {
		return c.notUnderstood(r, fmt.Sprintf("content type %q", resp.Header.Get("Content-Type")), nil)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return c.notUnderstood(r, err.Error(), err)
	}
	return nil
}

// send sends r; a nil error means that an answer has begun to arrive.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	if err := c.check(r); err != nil {
		return nil, err
	}
	path := r.path
	if path == "" {
		path = "/v1/adapters/" + url.PathEscape(r.adapter)
		switch {
		case r.sub != "":
			path += "/" + r.sub
		case r.method == http.MethodPost:
			path += "/" + r.op
		}
		if len(r.query) > 0 {
			path += "?" + r.query.Encode()
		}
	}
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "http://lessee"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "lessee")
	return c.http.Do(req)
}

// check finds what need not be asked.
func (c *Client) check(r request) error {
	if n := len(c.socket); n > maxSocketPath {
		return r.failed(errno.ERROR_INVALID_PARAMETER, reason.Cause{
			Reason: reason.SocketPathTooLong, Path: c.socket, Count: int64(n), Limit: maxSocketPath,
		})
	}
	if strings.HasPrefix(c.socket, "@") || strings.ContainsRune(c.socket, 0) {
		return r.failed(errno.ERROR_INVALID_PARAMETER, reason.Cause{Reason: reason.SocketNotAFile, Path: c.socket})
	}
	if r.path != "" {
		return nil
	}
	if r.adapter == "" {
		return r.failed(errno.ERROR_INVALID_PARAMETER, reason.Cause{Reason: reason.NoAdapterName})
	}
	// The kernel gives no interface such a name (dev_valid_name), and a path
	// with it would mean something else.
	if r.adapter == "." || r.adapter == ".." || strings.ContainsAny(r.adapter, "/\x00") {
		return r.failed(errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: reason.ImpossibleName})
	}
	return nil
}

// failed returns the error of a request.
func (r request) failed(code errno.Errno, c reason.Cause) *Error {
	return &Error{Op: r.op, Adapter: r.adapter, Code: code, Cause: c}
}

// failed explains why no answer came. ctx is the caller's.
func (c *Client) failed(ctx context.Context, r request, began time.Time, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := r.failed(errno.ERROR_PROC_NOT_FOUND, reason.Cause{Path: c.socket})
	e.Err = err
	switch cause := ctx.Err(); {
	case errors.Is(cause, context.Canceled):
		e.Code, e.Cause, e.Err = errno.ERROR_CANCELLED, reason.Cause{Reason: reason.Cancelled}, cause
		if r.method != http.MethodPost {
			e.Cause.Reason = reason.GaveUp
		}
		return e
	case errors.Is(cause, context.DeadlineExceeded):
		if r.method == http.MethodPost {
			e.Code = errno.ERROR_SEM_TIMEOUT
		}
		e.Err, e.Cause.Reason = cause, reason.DaemonSilent
		e.Cause.Timeout = reason.Duration(max(time.Since(began).Round(10*time.Millisecond), time.Millisecond))
		return e
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Cause.Reason = reason.NoDaemon
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Cause.Reason = reason.DaemonNotListening
	case errors.Is(err, fs.ErrPermission):
		e.Code, e.Cause.Reason = errno.ERROR_ACCESS_DENIED, reason.SocketDenied
	case errors.Is(err, syscall.EAGAIN):
		e.Cause.Reason = reason.DaemonBusy
	default:
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the URL, which nobody typed
		}
		e.Cause.Reason, e.Cause.Fault = reason.ConnectionBroken, fault.Of(err)
	}
	return e
}

// refused turns the daemon's error answer into an error.
func (c *Client) refused(r request, resp *http.Response, data []byte) error {
	if !isJSON(resp, "application/json") {
		return c.notUnderstood(r, "HTTP status "+resp.Status, nil)
	}
	e := new(Error)
	if err := json.Unmarshal(data, e); err != nil {
		return c.notUnderstood(r, err.Error(), err)
	}
	if e.Code == errno.NO_ERROR {
		return c.notUnderstood(r, "HTTP status "+resp.Status+" with error code 0", nil)
	}
	if e.Op == "" {
		e.Op = r.op
	}
	if e.Adapter == "" {
		e.Adapter = r.adapter
	}
	switch e.Code { //nolint:exhaustive // These two have a counterpart in Go.
	case errno.ERROR_CANCELLED:
		e.Err = context.Canceled
	case errno.ERROR_SEM_TIMEOUT:
		e.Err = context.DeadlineExceeded
	}
	return e
}

func (c *Client) notUnderstood(r request, why string, err error) error {
	e := r.failed(errno.ERROR_PROC_NOT_FOUND, reason.Cause{
		Reason: reason.AnswerNotUnderstood, Path: c.socket, Fault: &reason.Fault{Text: why},
	})
	e.Err = err
	return e
}

func isJSON(resp *http.Response, want string) bool {
	t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && t == want
}
