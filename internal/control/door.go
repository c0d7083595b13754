//go:build linux

package control

import (
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

const (
	maxConns        = 1024 // of all together, root excepted
	maxConnsPerUser = 128  // of one user other than root
)

// A door counts connections, so that no user can keep the others out.
type door struct {
	mu    sync.Mutex
	users map[uint32]int
	total int
}

func (d *door) enter(uid uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if uid != 0 && (d.total >= maxConns || d.users[uid] >= maxConnsPerUser) {
		return false
	}
	if d.users == nil {
		d.users = make(map[uint32]int)
	}
	d.users[uid]++
	d.total++
	return true
}

func (d *door) leave(uid uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total--
	if d.users[uid]--; d.users[uid] == 0 {
		delete(d.users, uid)
	}
}

// conn is a connection whose other end is known.
type conn struct {
	net.Conn
	caller *Caller
	leave  func()
}

func (c *conn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// refuse tells the caller why it is not served. The answer fits into the empty
// send buffer, so this does not wait.
func refuse(c net.Conn, who *Caller) {
	defer c.Close()
	body, err := json.Marshal(&lessee.Error{
		Code: errno.ERROR_PROC_NOT_FOUND, Cause: reason.Cause{Reason: reason.TooManyConnections, User: fmt.Sprintf("uid %d", who.UID)},
	})
	if err != nil {
		return
	}
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		len(body), body)
}
