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
	takenText   = "another program took away {objects}, and {manager} manages the adapter now|another program took away {objects} {count} times within ten minutes|another program took away {objects}"
	listHint    = "'lessee list' lists them"
	apiHint     = "GET /v1/openapi.yaml describes the API"
	versionHint = "is it a lessee daemon, of a fitting version? See 'lessee version'"
)

// English has the English words.
var English = sync.OnceValue(func() map[reason.Reason]Text {
	return map[reason.Reason]Text{
		reason.NoSuchAdapter:    {Detail: "no such adapter", Hint: listHint},
		reason.NoAdapterName:    {Detail: "the adapter's name is empty"},
		reason.ImpossibleName:   {Detail: "no network adapter can have this name", Hint: "see 'lessee list'"},
		reason.NoEthernet:       {Detail: "DHCP needs an adapter with an Ethernet address"},
		reason.AdapterRemoved:   {Detail: "the adapter was removed"},
		reason.NotManaged:       {Detail: "the adapter is not managed by this daemon", Hint: "'lessee up {adapter}' begins to manage it"},
		reason.ManagementEnded:  {Detail: "the adapter is not managed any more"},
		reason.ManagedElsewhere: {Detail: "{manager} manages this adapter ({how}), not this daemon", Hint: "do it there; or stop it there first, then 'lessee up {adapter}'"},
		reason.AnotherClient:    {Detail: "{manager} manages this adapter ({how})", Hint: stopHint},
		reason.AnotherDaemon:    {Detail: "another lessee daemon manages this adapter", Hint: stopHint},
		reason.BadConfiguration: {Detail: "{fault}", Hint: "correct the adapter's configuration"},
		reason.NothingManaged:   {Detail: "no adapter is managed by DHCP", Hint: "'lessee up ADAPTER' begins with one"},

		reason.NoLease:           {Hint: "'lessee renew {adapter}' gets a lease"},
		reason.NoLink:            {Hint: linkHint},
		reason.ReleaseNeedsLink:  {Detail: "the release cannot be sent; the lease stays", Hint: linkHint},
		reason.DownNeedsLink:     {Detail: "the release cannot be sent; nothing was changed", Hint: linkHint + ", or stop without a release: 'lessee down --keep {adapter}'"},
		reason.NoServer:          {Detail: "no DHCP server answered in {timeout}", Hint: leaseHint},
		reason.NoOffers:          {Detail: "no DHCP server answered in {timeout}", Hint: "is it the right network? 'lessee trace {adapter}' shows the packets"},
		reason.AddressInUse:      {Detail: "another host uses {address}, the address that the server gives", Hint: "'lessee why {adapter}' shows its link address; the search continues"},
		reason.NoOwnAddress:      {Detail: "the adapter has no address of its own to ask with; set one, then manage the adapter again"},
		reason.NoIPv4Wanted:      {Detail: "the network asks its hosts to use no IPv4 (RFC 8925)"},
		reason.NoIPv6:            {Detail: "no IPv6 lease is managed", Hint: "the kernel configures IPv6 by router advertisements; use -4"},
		reason.ReleasedMeanwhile: {Detail: "the lease was released meanwhile"},
		reason.ReleaseUnsent:     {Detail: "the address is gone, but the RELEASE could not be sent: {fault}"},
		reason.Cancelled:         {},
		reason.GaveUp:            {Detail: "the caller gave up"},
		reason.DiscoveryRuns:     {Detail: "a discovery runs on this adapter already", Hint: "wait for its end"},
		reason.TooManyTraces:     {Detail: "too many traces run already", Hint: "end one of them"},

		reason.SendFailed:         {Detail: "the {message} could not be sent: {fault}", Hint: leaseHint},
		reason.KernelSlow:         {Detail: "the kernel has not applied the change yet", Hint: "the operation continues in the background"},
		reason.KernelRefused:      {Detail: "{fault}"},
		reason.ResolverFailed:     {Detail: "{fault}"},
		reason.LeaseUnsaved:       {Detail: "the lease could not be saved: {fault}"},
		reason.LeaseNotDurable:    {Detail: "the lease would not survive a power failure: {fault}"},
		reason.RecordUnreadable:   {Detail: "{fault}"},
		reason.LinkLocalForbidden: {Detail: "a server forbids link-local addresses here"},
		reason.TakenAway:          {Detail: takenText, Hint: "'lessee renew {adapter}' puts it back"},
		reason.PutBack:            {Detail: "{objects}, which another program took away, is put back"},
		reason.MTUChanged:         {Detail: "another program changed the MTU to {count}; the lease says {limit}", Hint: "'lessee renew {adapter}' sets it again"},
		reason.ResolverChanged:    {Detail: "another program changed {path}, which is left as it is"},
		reason.SystemFailed:       {Detail: "{fault}"},

		reason.NoDaemon:            {Detail: "the lessee daemon is not running: there is no socket {path}", Hint: startHint},
		reason.DaemonNotListening:  {Detail: "the lessee daemon is not running: nothing listens at {path}", Hint: startHint},
		reason.DaemonBusy:          {Detail: "the daemon at {path} is too busy to accept a connection", Hint: "try again"},
		reason.DaemonSilent:        {Detail: "the daemon at {path} did not answer in {timeout}", Hint: "give it more time with --timeout"},
		reason.DaemonQuiet:         {Detail: "the daemon at {path} has said nothing for {timeout}", Hint: "see its log"},
		reason.DaemonStopping:      {Detail: "the daemon is stopping", Hint: "try again when it runs again"},
		reason.DaemonStopped:       {Detail: "the DHCP client service has stopped"},
		reason.SocketDenied:        {Detail: "no permission to connect to the daemon's socket {path}", Hint: "every directory on the way to it must be searchable, the socket itself writable"},
		reason.SocketPathTooLong:   {Detail: "the socket's path has {count} bytes, a Unix socket's has at most {limit}: {path}", Hint: "use a shorter path, or a relative one"},
		reason.SocketNotAFile:      {Detail: "the socket's path \"{path}\" is not a file's"},
		reason.ConnectionBroken:    {Detail: "the connection to the daemon at {path} broke: {fault}", Hint: "it may have been stopped; see its log"},
		reason.AnswerNotUnderstood: {Detail: "the answer from {path} is not understood: {fault}", Hint: versionHint},
		reason.StreamEnded:         {Detail: "the caller ended the stream of events"},

		reason.UnknownCaller:      {Detail: "it is not known who is calling"},
		reason.NotInGroup:         {Detail: "{user} may not do it", Hint: "do it as root, or become a member of the group {group} ('usermod -aG {group} USER') and log in again"},
		reason.NoSuchGroup:        {Detail: "{user} may not do it", Hint: "do it as root, or create the group {group} ('groupadd --system {group}'), whose members may do it"},
		reason.GroupUnusable:      {Detail: "{user} may not do it", Hint: "do it as root: the group {group} has the unusable number {value}"},
		reason.TooManyConnections: {Detail: "too many connections to the daemon from {user}", Hint: "close some"},

		reason.NoResource:        {Detail: "there is no resource {path}", Hint: apiHint},
		reason.WrongMethod:       {Detail: "{path} takes the method {allow}, not {method}", Hint: apiHint},
		reason.UnexpectedBody:    {Detail: "{method} {path} takes no body", Hint: apiHint},
		reason.BodyTooLarge:      {Detail: "the request's body has more than {limit} bytes", Hint: apiHint},
		reason.BodyUnreadable:    {Detail: "the request's body cannot be read: {fault}", Hint: apiHint},
		reason.BodyNotObject:     {Detail: "the request's body must be a JSON object", Hint: apiHint},
		reason.BodyTrailing:      {Detail: "something follows the JSON object in the request's body", Hint: apiHint},
		reason.BodyMalformed:     {Detail: "the request's body is not JSON: {fault} (byte {count})", Hint: apiHint},
		reason.BodyTruncated:     {Detail: "the request's body is not JSON: it ends in the middle", Hint: apiHint},
		reason.BodyRefused:       {Detail: "the request's body: {fault}", Hint: apiHint},
		reason.WrongType:         {Detail: "the field \"{field}\" must be a JSON {want}, not a {got}", Hint: apiHint},
		reason.NotADuration:      {Detail: "{field}: \"{value}\" is not a duration such as \"20s\" or \"1m30s\"", Hint: apiHint},
		reason.OutOfRange:        {Detail: "{field}: {value} is not between {min} and {max}"},
		reason.MisplacedField:    {Detail: "another request has the field \"{field}\", this one has not", Hint: apiHint},
		reason.QueryMalformed:    {Detail: "the query is malformed: {fault}", Hint: apiHint},
		reason.UnknownParameter:  {Detail: "unknown query parameter \"{field}\"", Hint: apiHint},
		reason.RepeatedParameter: {Detail: "the query parameter \"{field}\" must be given once, with a value", Hint: apiHint},
		reason.NotABoolean:       {Detail: "the query parameter \"{field}\" must be true or false", Hint: apiHint},
		reason.AnswerUnwritable:  {Detail: "the answer cannot be written as JSON: {fault}"},
	}
})
