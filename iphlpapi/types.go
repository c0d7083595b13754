package iphlpapi

import (
	"errors"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// MaxAdapterName is the room for an adapter's name in UTF-16 units, its
// terminating NUL included.
const MaxAdapterName = 128

// An IpAdapterIndexMap says which adapter is meant: IP_ADAPTER_INDEX_MAP, 260
// bytes. Only the name counts. The index may change when an adapter is disabled
// and enabled again, and is ignored by the functions that take one.
type IpAdapterIndexMap struct {
	// Index is the kernel's interface index.
	Index uint32
	// Name is the adapter's name in UTF-16, ended by a NUL.
	Name [MaxAdapterName]uint16
}

// An IpInterfaceInfo is what [GetInterfaceInfo] fills: IP_INTERFACE_INFO, 264
// bytes with its one entry. The caller provides memory for as many entries as
// there are adapters, of which this is the beginning.
type IpInterfaceInfo struct {
	// NumAdapters is the number of entries.
	NumAdapters int32
	// Adapter is the first entry, undefined if NumAdapters is 0.
	Adapter [1]IpAdapterIndexMap
}

// The sizes are part of the contract.
const (
	entrySize = 260
	headSize  = 4
)

var (
	_ [entrySize]byte            = [unsafe.Sizeof(IpAdapterIndexMap{})]byte{}
	_ [headSize + entrySize]byte = [unsafe.Sizeof(IpInterfaceInfo{})]byte{}
)

// Adapters returns the entries, NumAdapters of them, in the caller's own buffer.
// It is valid for a table that GetInterfaceInfo has filled.
func (t *IpInterfaceInfo) Adapters() []IpAdapterIndexMap {
	if t == nil || t.NumAdapters <= 0 {
		return nil
	}
	return unsafe.Slice(&t.Adapter[0], t.NumAdapters)
}

// SetName stores a name. It fails with ERROR_INVALID_PARAMETER, and changes
// nothing, if the name is empty, has a NUL inside, is not valid UTF-8 or needs
// more than 127 UTF-16 units.
func (m *IpAdapterIndexMap) SetName(name string) error {
	units := utf16.Encode([]rune(name))
	if name == "" || !utf8.ValidString(name) || len(units) >= MaxAdapterName || slices.Contains(units, 0) {
		return ERROR_INVALID_PARAMETER
	}
	m.Name = [MaxAdapterName]uint16{}
	copy(m.Name[:], units)
	return nil
}

// NameString returns the name up to its NUL, with U+FFFD in place of what is not
// valid UTF-16.
func (m *IpAdapterIndexMap) NameString() string {
	return string(utf16.Decode(m.units()))
}

// units returns the name up to its NUL, all of it if there is none.
func (m *IpAdapterIndexMap) units() []uint16 {
	if n := slices.Index(m.Name[:], 0); n >= 0 {
		return m.Name[:n]
	}
	return m.Name[:]
}

// check returns the name if it says which adapter is meant.
func (m *IpAdapterIndexMap) check() (string, error) {
	if m == nil {
		return "", ERROR_INVALID_PARAMETER
	}
	units := m.units()
	if len(units) == 0 || len(units) == MaxAdapterName {
		return "", ERROR_INVALID_PARAMETER
	}
	runes := utf16.Decode(units)
	// Decode replaces an unpaired surrogate: then it does not come back.
	if !slices.Equal(utf16.Encode(runes), units) {
		return "", ERROR_INVALID_PARAMETER
	}
	return string(runes), nil
}

// Interfaces lists the adapters enabled for IPv4. It makes the two calls of
// [GetInterfaceInfo], again where adapters appear between them.
func Interfaces() ([]IpAdapterIndexMap, error) {
	var size uint32
	err := GetInterfaceInfo(nil, &size)
	for errors.Is(err, ERROR_INSUFFICIENT_BUFFER) {
		buf := make([]uint32, (size+3)/4)
		table := (*IpInterfaceInfo)(unsafe.Pointer(unsafe.SliceData(buf)))
		if err = GetInterfaceInfo(table, &size); err == nil {
			return slices.Clone(table.Adapters()), nil
		}
	}
	return nil, err
}
