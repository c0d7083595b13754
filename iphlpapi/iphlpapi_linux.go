package iphlpapi

import (
	"context"
	"slices"
	"unicode/utf16"

	"github.com/lessee/lessee"
)

func interfaceInfo(table *IpInterfaceInfo, size *uint32) error {
	list, err := enabled()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return ERROR_NO_DATA
	}
	need := uint32(headSize + entrySize*len(list))
	if table == nil || *size < need {
		*size = need
		return ERROR_INSUFFICIENT_BUFFER
	}
	table.NumAdapters = int32(len(list))
	out := table.Adapters()
	for i, a := range list {
		out[i] = IpAdapterIndexMap{Index: uint32(a.index)}
		copy(out[i].Name[:MaxAdapterName-1], utf16.Encode([]rune(a.name)))
	}
	return nil
}

func release(a *IpAdapterIndexMap) error {
	return code(lessee.New().Release(context.Background(), a.NameString()))
}

func renew(a *IpAdapterIndexMap) error {
	return code(lessee.New().Renew(context.Background(), a.NameString()))
}

// code reduces an error to its code, which is all that the contract has.
func code(err error) error {
	if err == nil {
		return nil
	}
	return Errno(lessee.Code(err))
}

func adaptersInfo(info *IpAdapterInfo, size *uint32) error {
	list, err := enabled()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return ERROR_NO_DATA
	}
	if err := complete(list); err != nil {
		return err
	}
	if need := packedSize(list); info == nil || *size < need {
		*size = need
		return ERROR_BUFFER_OVERFLOW
	}
	pack(info, list)
	return nil
}

func perAdapterInfo(index uint32, info *IpPerAdapterInfo, size *uint32) error {
	list, err := enabled()
	if err != nil {
		return err
	}
	d := find(list, int(index))
	if d == nil {
		return ERROR_NO_DATA
	}
	one := []details{*d}
	if err := complete(one); err != nil {
		return err
	}
	if need := packedPerSize(&one[0]); info == nil || *size < need {
		*size = need
		return ERROR_BUFFER_OVERFLOW
	}
	packPer(info, &one[0])
	return nil
}

// complete adds all that is to be known of the adapters.
func complete(list []details) error {
	if err := addAddresses(list); err != nil {
		return err
	}
	if err := addGateways(list); err != nil {
		return err
	}
	addDescriptions(list)
	addLeases(list)
	return nil
}

func numberOfInterfaces(number *uint32) error {
	all, err := links()
	if err != nil {
		return err
	}
	*number = 0
	for _, l := range all {
		if l.up || l.loopback {
			*number++
		}
	}
	return nil
}

func adapterIndex(m *IpAdapterIndexMap, index *uint32) error {
	all, err := links()
	if err != nil {
		return err
	}
	name := m.NameString()
	for _, l := range all {
		if l.name == name || slices.Contains(l.altNames, name) {
			*index = uint32(l.index)
			return nil
		}
	}
	return ERROR_FILE_NOT_FOUND
}
