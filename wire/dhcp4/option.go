package dhcp4

import (
	"strconv"

	"github.com/lessee/lessee/internal/option"
)

// An OptionCode says what an option is about.
type OptionCode uint8

// The options that a client meets, with the RFC each comes from (RFC 2132
// where none is named). Their names are in the table of internal/option.
const (
	OptionPad               OptionCode = 0
	OptionSubnetMask        OptionCode = 1
	OptionTimeOffset        OptionCode = 2
	OptionRouter            OptionCode = 3
	OptionTimeServer        OptionCode = 4
	OptionNameServer        OptionCode = 5 // IEN 116, not DNS
	OptionDNS               OptionCode = 6
	OptionLogServer         OptionCode = 7
	OptionHostName          OptionCode = 12
	OptionBootFileSize      OptionCode = 13
	OptionDomainName        OptionCode = 15
	OptionRootPath          OptionCode = 17
	OptionIPForwarding      OptionCode = 19
	OptionMTU               OptionCode = 26
	OptionBroadcast         OptionCode = 28
	OptionRouterDiscovery   OptionCode = 31
	OptionStaticRoutes      OptionCode = 33 // with classes, outdated by 121
	OptionNISDomain         OptionCode = 40
	OptionNISServers        OptionCode = 41
	OptionNTP               OptionCode = 42
	OptionVendorSpecific    OptionCode = 43
	OptionNetBIOSNameServer OptionCode = 44
	OptionNetBIOSNodeType   OptionCode = 46
	OptionNetBIOSScope      OptionCode = 47
	OptionRequestedAddress  OptionCode = 50
	OptionLeaseTime         OptionCode = 51
	OptionOverload          OptionCode = 52
	OptionMessageType       OptionCode = 53
	OptionServerID          OptionCode = 54
	OptionParameterList     OptionCode = 55
	OptionMessage           OptionCode = 56
	OptionMaxMessageSize    OptionCode = 57
	OptionT1                OptionCode = 58
	OptionT2                OptionCode = 59
	OptionVendorClass       OptionCode = 60
	OptionClientID          OptionCode = 61
	OptionTFTPServer        OptionCode = 66
	OptionBootFile          OptionCode = 67
	OptionUserClass         OptionCode = 77  // RFC 3004
	OptionRapidCommit       OptionCode = 80  // RFC 4039
	OptionClientFQDN        OptionCode = 81  // RFC 4702
	OptionRelayAgent        OptionCode = 82  // RFC 3046
	OptionAuthentication    OptionCode = 90  // RFC 3118
	OptionClientArch        OptionCode = 93  // RFC 4578
	OptionPOSIXTimezone     OptionCode = 100 // RFC 4833
	OptionTZDatabase        OptionCode = 101 // RFC 4833
	OptionIPv6OnlyPreferred OptionCode = 108 // RFC 8925
	OptionCaptivePortal     OptionCode = 114 // RFC 8910
	OptionAutoConfigure     OptionCode = 116 // RFC 2563
	OptionSubnetSelection   OptionCode = 118 // RFC 3011
	OptionDomainSearch      OptionCode = 119 // RFC 3397
	OptionSIPServers        OptionCode = 120 // RFC 3361
	OptionClasslessRoutes   OptionCode = 121 // RFC 3442
	OptionVIVendorClass     OptionCode = 124 // RFC 3925
	OptionVIVendorOptions   OptionCode = 125 // RFC 3925
	OptionForceRenewNonce   OptionCode = 145 // RFC 6704
	OptionDNR               OptionCode = 162 // RFC 9463
	OptionMSClasslessRoutes OptionCode = 249 // as 121, from before RFC 3442
	OptionWPAD              OptionCode = 252 // by custom
	OptionEnd               OptionCode = 255
)

// String returns the option's name, such as "lease time", or its number
// ("option 224") where this package has no name for it.
func (c OptionCode) String() string {
	if n := option.Name(uint8(c)); n != "" {
		return n
	}
	return "option " + strconv.Itoa(int(c))
}
