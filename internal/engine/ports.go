//go:build linux

package engine

import (
	"sync"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A memory is a store that ends with the engine.
type memory struct {
	mu      sync.Mutex
	records map[string]v4.Record
}

// Save implements [loop.Store].
func (m *memory) Save(adapter string, r v4.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = make(map[string]v4.Record)
	}
	m.records[adapter] = r
	return nil
}

// Load implements [loop.Store].
func (m *memory) Load(adapter string) (v4.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[adapter]
	return r, ok, nil
}

// Remove implements [loop.Store].
func (m *memory) Remove(adapter string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, adapter)
	return nil
}

// RehearseSave implements [loop.Store].
func (m *memory) RehearseSave(v4.Record) error { return nil }

// Persist implements [loop.Store].
func (m *memory) Persist(string) error { return nil }

// Pending implements [loop.Store].
func (m *memory) Pending() []string { return nil }

// nobody is a resolver that takes nothing, and finds no other clients.
type nobody struct{}

// Set implements [loop.Resolver].
func (nobody) Set(netconf.Link, netconf.DNS) error { return nil }

// Manager implements [loop.Others].
func (nobody) Manager(netconf.Link) (name, how string, ok bool) { return "", "", false }

// ManagerNow implements [loop.Others].
func (nobody) ManagerNow(netconf.Link) (name, how string, ok bool) { return "", "", false }
