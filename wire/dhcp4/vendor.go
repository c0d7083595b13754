package dhcp4

import "encoding/binary"

// AppendUserClass appends the value of option 77 to dst: each class with its
// length (RFC 3004 section 4). Classes of 0 bytes cannot be told and are left
// out, and so are those of more than 255.
//
// Windows sends and expects one class without a length; that is this class as
// the option's value, without this function.
func AppendUserClass(dst []byte, classes ...[]byte) []byte {
	for _, c := range classes {
		if len(c) == 0 || len(c) > maxPiece {
			continue
		}
		dst = append(dst, byte(len(c)))
		dst = append(dst, c...)
	}
	return dst
}

// A VendorClass is one vendor's entry in option 124 (RFC 3925 section 3).
type VendorClass struct {
	// Enterprise is the vendor's number in IANA's registry.
	Enterprise uint32
	// Data is what the vendor says, at most 255 bytes.
	Data []byte
}

// AppendVendorClasses appends the value of option 124, the vendor-identifying
// vendor class, to dst. Entries with more than 255 bytes of data are left out.
func AppendVendorClasses(dst []byte, classes ...VendorClass) []byte {
	for _, c := range classes {
		dst = appendVendor(dst, c.Enterprise, c.Data)
	}
	return dst
}

// ParseVendorClasses decodes the value of option 124. The data are parts of the
// value, not copies. The error is an [*Error].
func ParseVendorClasses(value []byte) ([]VendorClass, error) {
	var list []VendorClass
	err := eachVendor(value, func(enterprise uint32, data []byte, _ int) error {
		list = append(list, VendorClass{enterprise, data})
		return nil
	})
	return list, err
}

// A VendorOptions is one vendor's entry in option 125 (RFC 3925 section 4).
type VendorOptions struct {
	// Enterprise is the vendor's number in IANA's registry.
	Enterprise uint32
	// Options are the vendor's own, in the order in which they stand.
	Options []SubOption
}

// A SubOption is an option inside of another, whose meaning its vendor knows.
type SubOption struct {
	Code  uint8
	Value []byte
}

// AppendVendorOptions appends the value of option 125, vendor-identifying
// vendor options, to dst. Suboptions and entries of more than 255 bytes are
// left out.
func AppendVendorOptions(dst []byte, vendors ...VendorOptions) []byte {
	var data []byte
	for _, v := range vendors {
		data = data[:0]
		for _, o := range v.Options {
			if len(o.Value) <= maxPiece {
				data = append(data, o.Code, byte(len(o.Value)))
				data = append(data, o.Value...)
			}
		}
		dst = appendVendor(dst, v.Enterprise, data)
	}
	return dst
}

// ParseVendorOptions decodes the value of option 125. The values are parts of
// what was given, not copies. If one entry is malformed none is returned; the
// error is an [*Error].
func ParseVendorOptions(value []byte) ([]VendorOptions, error) {
	var list []VendorOptions
	err := eachVendor(value, func(enterprise uint32, data []byte, at int) error {
		options, err := parseSubOptions(data, at)
		list = append(list, VendorOptions{enterprise, options})
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// vendorHeader is the length of enterprise number and data length.
const vendorHeader = 5

func appendVendor(dst []byte, enterprise uint32, data []byte) []byte {
	if len(data) > maxPiece {
		return dst
	}
	dst = binary.BigEndian.AppendUint32(dst, enterprise)
	dst = append(dst, byte(len(data)))
	return append(dst, data...)
}

// eachVendor calls f with the entries of option 124 or 125, and with where
// their data begin.
func eachVendor(value []byte, f func(enterprise uint32, data []byte, at int) error) error {
	if len(value) == 0 {
		return &Error{ReasonValueTruncated, 0}
	}
	for i := 0; i < len(value); {
		from := i + vendorHeader
		if from > len(value) || from+int(value[from-1]) > len(value) {
			return &Error{ReasonValueTruncated, i}
		}
		to := from + int(value[from-1])
		if err := f(binary.BigEndian.Uint32(value[i:]), value[from:to:to], from); err != nil {
			return err
		}
		i = to
	}
	return nil
}

// parseSubOptions decodes options of one code and one length byte each.
// RFC 3925, section 4: the code is "opaque", so 0 and 255 are codes as others.
func parseSubOptions(data []byte, at int) ([]SubOption, error) {
	var list []SubOption
	for i := 0; i < len(data); {
		if i+2 > len(data) || i+2+int(data[i+1]) > len(data) {
			return nil, &Error{ReasonValueTruncated, at + i}
		}
		to := i + 2 + int(data[i+1])
		list = append(list, SubOption{data[i], data[i+2 : to : to]})
		i = to
	}
	return list, nil
}
