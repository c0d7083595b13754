package words

import (
	"sync"

	"github.com/lessee/lessee/reason"
)

// Hints that several reasons have.
const (
	leaseHint   = "the lease stays valid until {expires}|the lease stays valid{infinite}|the search continues"
	stopHint    = "stop it there first: two DHCP clients on one adapter take each other's addresses away"
	linkHint    = "check the cable and 'ip link'"
	startHint   = "start it with 'lessee daemon {adapter}', or name its socket with --socket or LESSEE_SOCKET|start it with 'lessee daemon ADAPTER', or name its socket with --socket or LESSEE_SOCKET"
	listHint    = "'lessee list' lists them"
	apiHint     = "GET /v1/openapi.yaml describes the API"
	versionHint = "is it a lessee daemon, of a fitting version? See 'lessee version'"
)

// English has the English words.
var English = sync.OnceValue(func() map[reason.Reason]Text {
	return map[reason.Reason]Text{
		reason.NoAdapter:        {"no such adapter", listHint},
		reason.NoAdapterName:    {"the adapter's name is empty", ""},
		reason.ImpossibleName:   {"no network adapter can have this name", "see 'lessee list'"},
		reason.NoEthernet:       {"DHCP needs an adapter with an Ethernet address", ""},
		reason.AdapterRemoved:   {"the adapter was removed", ""},
		reason.NotManaged:       {"the adapter is not managed by this daemon", "'lessee up {adapter}' begins to manage it"},
		reason.ManagementEnded:  {"the adapter is not managed any more", ""},
		reason.ManagedElsewhere: {"{manager} manages this adapter ({how}), not this daemon", "do it there; or stop it there first, then 'lessee up {adapter}'"},
		reason.AnotherClient:    {"{manager} manages this adapter ({how})", stopHint},
		reason.AnotherDaemon:    {"another lessee daemon manages this adapter", stopHint},
		reason.BadConfiguration: {"{fault}", "correct the adapter's configuration"},
		reason.NothingManaged:   {"no adapter is managed by DHCP", "'lessee up ADAPTER' begins with one"},

		reason.NoLease:           {"", "'lessee renew {adapter}' gets a lease"},
		reason.NoLink:            {"", linkHint},
		reason.ReleaseNeedsLink:  {"the release cannot be sent; the lease stays", linkHint},
		reason.DownNeedsLink:     {"the release cannot be sent; nothing was changed", linkHint + ", or stop without a release: 'lessee down --keep {adapter}'"},
		reason.NoServer:          {"no DHCP server answered in {timeout}", leaseHint},
		reason.NoOffers:          {"no DHCP server answered in {timeout}", "is it the right network? 'lessee trace {adapter}' shows the packets"},
		reason.AddressInUse:      {"another host uses {address}, the address that the server gives", "'lessee why {adapter}' shows its link address; the search continues"},
		reason.NoOwnAddress:      {"the adapter has no address of its own to ask with; set one, then manage the adapter again", ""},
		reason.NoIPv4Wanted:      {"the network asks its hosts to use no IPv4 (RFC 8925)", ""},
		reason.NoIPv6:            {"no IPv6 lease is managed", "the kernel configures IPv6 by router advertisements; use -4"},
		reason.ReleasedMeanwhile: {"the lease was released meanwhile", ""},
		reason.ReleaseUnsent:     {"the address is gone, but the RELEASE could not be sent: {fault}", ""},
		reason.Cancelled:         {"", ""},
		reason.GaveUp:            {"the caller gave up", ""},
		reason.DiscoveryRuns:     {"a discovery runs on this adapter already", "wait for its end"},
		reason.TooManyTraces:     {"too many traces run already", "end one of them"},

		reason.SendFailed:         {"the {message} could not be sent: {fault}", leaseHint},
		reason.KernelSlow:         {"the kernel has not applied the change yet", "the operation continues in the background"},
		reason.KernelRefused:      {"{fault}", ""},
		reason.ResolverFailed:     {"{fault}", ""},
		reason.LeaseUnsaved:       {"the lease could not be saved: {fault}", ""},
		reason.RecordUnreadable:   {"{fault}", ""},
		reason.LinkLocalForbidden: {"a server forbids link-local addresses here", ""},
		reason.SystemFailed:       {"{fault}", ""},

		reason.NoDaemon:            {"the lessee daemon is not running: there is no socket {path}", startHint},
		reason.DaemonNotListening:  {"the lessee daemon is not running: nothing listens at {path}", startHint},
		reason.DaemonBusy:          {"the daemon at {path} is too busy to accept a connection", "try again"},
		reason.DaemonSilent:        {"the daemon at {path} did not answer in {timeout}", "give it more time with --timeout"},
		reason.DaemonQuiet:         {"the daemon at {path} has said nothing for {timeout}", "see its log"},
		reason.DaemonStopping:      {"the daemon is stopping", "try again when it runs again"},
		reason.DaemonStopped:       {"the DHCP client service has stopped", ""},
		reason.SocketDenied:        {"no permission to connect to the daemon's socket {path}", "every directory on the way to it must be searchable, the socket itself writable"},
		reason.SocketPathTooLong:   {"the socket's path has {count} bytes, a Unix socket's has at most {limit}: {path}", "use a shorter path, or a relative one"},
		reason.SocketNotAFile:      {"the socket's path \"{path}\" is not a file's", ""},
		reason.ConnectionBroken:    {"the connection to the daemon at {path} broke: {fault}", "it may have been stopped; see its log"},
		reason.AnswerNotUnderstood: {"the answer from {path} is not understood: {fault}", versionHint},
		reason.StreamEnded:         {"the caller ended the stream of events", ""},

		reason.UnknownCaller:      {"it is not known who is calling", ""},
		reason.NotInGroup:         {"{user} may not do it", "do it as root, or become a member of the group {group} ('usermod -aG {group} USER') and log in again"},
		reason.NoSuchGroup:        {"{user} may not do it", "do it as root, or create the group {group} ('groupadd --system {group}'), whose members may do it"},
		reason.GroupUnusable:      {"{user} may not do it", "do it as root: the group {group} has the unusable number {value}"},
		reason.TooManyConnections: {"too many connections to the daemon from {user}", "close some"},

		reason.NoResource:        {"there is no resource {path}", apiHint},
		reason.WrongMethod:       {"{path} takes the method {allow}, not {method}", apiHint},
		reason.UnexpectedBody:    {"{method} {path} takes no body", apiHint},
		reason.BodyTooLarge:      {"the request's body has more than {limit} bytes", apiHint},
		reason.BodyUnreadable:    {"the request's body cannot be read: {fault}", apiHint},
		reason.BodyNotObject:     {"the request's body must be a JSON object", apiHint},
		reason.BodyTrailing:      {"something follows the JSON object in the request's body", apiHint},
		reason.BodyMalformed:     {"the request's body is not JSON: {fault} (byte {count})", apiHint},
		reason.BodyTruncated:     {"the request's body is not JSON: it ends in the middle", apiHint},
		reason.BodyRefused:       {"the request's body: {fault}", apiHint},
		reason.WrongType:         {"the field \"{field}\" must be a JSON {want}, not a {got}", apiHint},
		reason.NotADuration:      {"{field}: \"{value}\" is not a duration such as \"20s\" or \"1m30s\"", apiHint},
		reason.OutOfRange:        {"a timeout of {timeout} is not between {min} and {max}", ""},
		reason.MisplacedField:    {"another request has the field \"{field}\", this one has not", apiHint},
		reason.QueryMalformed:    {"the query is malformed: {fault}", apiHint},
		reason.UnknownParameter:  {"unknown query parameter \"{field}\"", apiHint},
		reason.RepeatedParameter: {"the query parameter \"{field}\" must be given once, with a value", apiHint},
		reason.NotABoolean:       {"the query parameter \"{field}\" must be true or false", apiHint},
		reason.AnswerUnwritable:  {"the answer cannot be written as JSON: {fault}", ""},
	}
})
