package text

import (
	"sync"

	"github.com/lessee/lessee/internal/words"
	"github.com/lessee/lessee/reason"
)

// Hints that several reasons have.
const (
	frenchLeaseHint   = "le bail reste valable jusqu'à {expires}|le bail reste valable{infinite}|la recherche continue"
	frenchStopHint    = "arrêtez-le d'abord là-bas : deux clients DHCP sur un adaptateur se prennent leurs adresses"
	frenchLinkHint    = "vérifiez le câble et 'ip link'"
	frenchStartHint   = "démarrez-le avec 'lessee daemon {adapter}', ou nommez son socket par --socket ou LESSEE_SOCKET|démarrez-le avec 'lessee daemon ADAPTATEUR', ou nommez son socket par --socket ou LESSEE_SOCKET"
	frenchListHint    = "'lessee list' les liste"
	frenchAPIHint     = "GET /v1/openapi.yaml décrit l'API"
	frenchVersionHint = "est-ce un démon lessee, d'une version compatible ? Voyez 'lessee version'"
)

// frenchReasons has the words for the reasons of errors and problems.
var frenchReasons = sync.OnceValue(func() map[reason.Reason]words.Text {
	return map[reason.Reason]words.Text{
		reason.NoSuchAdapter:    {Detail: "cet adaptateur n'existe pas", Hint: frenchListHint},
		reason.NoAdapterName:    {Detail: "le nom de l'adaptateur est vide"},
		reason.ImpossibleName:   {Detail: "aucun adaptateur réseau ne peut porter ce nom", Hint: "voyez 'lessee list'"},
		reason.NoEthernet:       {Detail: "DHCP a besoin d'un adaptateur avec une adresse Ethernet"},
		reason.AdapterRemoved:   {Detail: "l'adaptateur a été retiré"},
		reason.NotManaged:       {Detail: "l'adaptateur n'est pas géré par ce démon", Hint: "'lessee up {adapter}' commence à le gérer"},
		reason.ManagementEnded:  {Detail: "l'adaptateur n'est plus géré"},
		reason.ManagedElsewhere: {Detail: "{manager} gère cet adaptateur ({how}), et non ce démon", Hint: "faites-le là-bas ; ou arrêtez-le d'abord là-bas, puis 'lessee up {adapter}'"},
		reason.AnotherClient:    {Detail: "{manager} gère cet adaptateur ({how})", Hint: frenchStopHint},
		reason.AnotherDaemon:    {Detail: "un autre démon lessee gère cet adaptateur", Hint: frenchStopHint},
		reason.BadConfiguration: {Detail: "{fault}", Hint: "corrigez la configuration de l'adaptateur"},
		reason.NothingManaged:   {Detail: "aucun adaptateur n'est géré par DHCP", Hint: "'lessee up ADAPTATEUR' commence avec un"},

		reason.NoLease:           {Hint: "'lessee renew {adapter}' obtient un bail"},
		reason.NoLink:            {Hint: frenchLinkHint},
		reason.ReleaseNeedsLink:  {Detail: "la libération ne peut pas être envoyée ; le bail reste", Hint: frenchLinkHint},
		reason.DownNeedsLink:     {Detail: "la libération ne peut pas être envoyée ; rien n'a été changé", Hint: frenchLinkHint + ", ou arrêtez sans rendre le bail : 'lessee down --keep {adapter}'"},
		reason.NoServer:          {Detail: "aucun serveur DHCP n'a répondu en {timeout}", Hint: frenchLeaseHint},
		reason.NoOffers:          {Detail: "aucun serveur DHCP n'a répondu en {timeout}", Hint: "est-ce le bon réseau ? 'lessee trace {adapter}' montre les paquets"},
		reason.AddressInUse:      {Detail: "un autre hôte utilise {address}, l'adresse que le serveur attribue", Hint: "'lessee why {adapter}' indique son adresse de liaison ; la recherche continue"},
		reason.NoOwnAddress:      {Detail: "l'adaptateur n'a pas d'adresse à lui pour la demande ; attribuez-en une, puis gérez de nouveau l'adaptateur"},
		reason.NoIPv4Wanted:      {Detail: "le réseau demande à ses hôtes de ne pas utiliser IPv4 (RFC 8925)"},
		reason.NoIPv6:            {Detail: "aucun bail IPv6 n'est géré", Hint: "le noyau configure IPv6 par les annonces des routeurs ; utilisez -4"},
		reason.ReleasedMeanwhile: {Detail: "le bail a été libéré entre-temps"},
		reason.ReleaseUnsent:     {Detail: "l'adresse est retirée, mais le RELEASE n'a pas pu être envoyé : {fault}"},
		reason.Cancelled:         {},
		reason.GaveUp:            {Detail: "l'appelant a renoncé"},
		reason.DiscoveryRuns:     {Detail: "une recherche de serveurs est déjà en cours sur cet adaptateur", Hint: "attendez sa fin"},
		reason.TooManyTraces:     {Detail: "trop de traces sont déjà en cours", Hint: "terminez-en une"},

		reason.SendFailed:         {Detail: "le {message} n'a pas pu être envoyé : {fault}", Hint: frenchLeaseHint},
		reason.KernelSlow:         {Detail: "le noyau n'a pas encore appliqué la modification", Hint: "l'opération continue en arrière-plan"},
		reason.KernelRefused:      {Detail: "{fault}"},
		reason.ResolverFailed:     {Detail: "{fault}"},
		reason.LeaseUnsaved:       {Detail: "le bail n'a pas pu être enregistré : {fault}"},
		reason.LeaseNotDurable:    {Detail: "le bail ne survivrait pas à une panne de courant : {fault}"},
		reason.RecordUnreadable:   {Detail: "{fault}"},
		reason.LinkLocalForbidden: {Detail: "un serveur interdit ici les adresses de liaison locale"},
		reason.TakenAway: {
			Detail: "un autre programme a retiré {objects}, et {manager} gère l'adaptateur à présent|un autre programme a retiré {objects} {count} fois en dix minutes|un autre programme a retiré {objects}",
			Hint:   "« lessee renew {adapter} » le remet",
		},
		reason.PutBack:         {Detail: "{objects}, qu'un autre programme avait retiré, est remis"},
		reason.MTUChanged:      {Detail: "un autre programme a changé le MTU en {count} ; le bail dit {limit}", Hint: "« lessee renew {adapter} » le rétablit"},
		reason.ResolverChanged: {Detail: "un autre programme a changé {path}, qui reste tel quel"},
		reason.SystemFailed:    {Detail: "{fault}"},

		reason.NoDaemon:            {Detail: "le démon lessee n'est pas en marche : il n'y a pas de socket {path}", Hint: frenchStartHint},
		reason.DaemonNotListening:  {Detail: "le démon lessee n'est pas en marche : personne n'écoute sur {path}", Hint: frenchStartHint},
		reason.DaemonBusy:          {Detail: "le démon de {path} est trop occupé pour accepter une connexion", Hint: "essayez de nouveau"},
		reason.DaemonSilent:        {Detail: "le démon de {path} n'a pas répondu en {timeout}", Hint: "donnez-lui plus de temps avec --timeout"},
		reason.DaemonQuiet:         {Detail: "le démon de {path} n'a rien dit depuis {timeout}", Hint: "voyez son journal"},
		reason.DaemonStopping:      {Detail: "le démon s'arrête", Hint: "essayez de nouveau quand il sera reparti"},
		reason.DaemonStopped:       {Detail: "le service client DHCP s'est arrêté"},
		reason.SocketDenied:        {Detail: "pas la permission de se connecter au socket {path} du démon", Hint: "chaque répertoire qui y mène doit être traversable, et le socket accessible en écriture"},
		reason.SocketPathTooLong:   {Detail: "le chemin du socket a {count} octets, celui d'un socket Unix en a au plus {limit} : {path}", Hint: "utilisez un chemin plus court, ou relatif"},
		reason.SocketNotAFile:      {Detail: "le chemin du socket \"{path}\" n'est pas celui d'un fichier"},
		reason.ConnectionBroken:    {Detail: "la connexion au démon de {path} s'est rompue : {fault}", Hint: "il a peut-être été arrêté ; voyez son journal"},
		reason.AnswerNotUnderstood: {Detail: "la réponse de {path} n'est pas comprise : {fault}", Hint: frenchVersionHint},
		reason.StreamEnded:         {Detail: "l'appelant a mis fin au flux d'événements"},

		reason.UnknownCaller:      {Detail: "on ne sait pas qui appelle"},
		reason.NotInGroup:         {Detail: "{user} n'en a pas le droit", Hint: "faites-le en tant que root, ou devenez membre du groupe {group} ('usermod -aG {group} UTILISATEUR') et reconnectez-vous"},
		reason.NoSuchGroup:        {Detail: "{user} n'en a pas le droit", Hint: "faites-le en tant que root, ou créez le groupe {group} ('groupadd --system {group}'), dont les membres y ont droit"},
		reason.GroupUnusable:      {Detail: "{user} n'en a pas le droit", Hint: "faites-le en tant que root : le groupe {group} a le numéro inutilisable {value}"},
		reason.TooManyConnections: {Detail: "trop de connexions au démon depuis {user}", Hint: "fermez-en quelques-unes"},

		reason.NoResource:        {Detail: "il n'y a pas de ressource {path}", Hint: frenchAPIHint},
		reason.WrongMethod:       {Detail: "{path} accepte la méthode {allow}, pas {method}", Hint: frenchAPIHint},
		reason.UnexpectedBody:    {Detail: "{method} {path} n'accepte pas de corps", Hint: frenchAPIHint},
		reason.BodyTooLarge:      {Detail: "le corps de la requête a plus de {limit} octets", Hint: frenchAPIHint},
		reason.BodyUnreadable:    {Detail: "le corps de la requête ne peut pas être lu : {fault}", Hint: frenchAPIHint},
		reason.BodyNotObject:     {Detail: "le corps de la requête doit être un objet JSON", Hint: frenchAPIHint},
		reason.BodyTrailing:      {Detail: "quelque chose suit l'objet JSON dans le corps de la requête", Hint: frenchAPIHint},
		reason.BodyMalformed:     {Detail: "le corps de la requête n'est pas du JSON : {fault} (octet {count})", Hint: frenchAPIHint},
		reason.BodyTruncated:     {Detail: "le corps de la requête n'est pas du JSON : il est tronqué", Hint: frenchAPIHint},
		reason.BodyRefused:       {Detail: "le corps de la requête : {fault}", Hint: frenchAPIHint},
		reason.WrongType:         {Detail: "le champ \"{field}\" doit être de type JSON {want}, pas {got}", Hint: frenchAPIHint},
		reason.NotADuration:      {Detail: "{field} : \"{value}\" n'est pas une durée comme \"20s\" ou \"1m30s\"", Hint: frenchAPIHint},
		reason.OutOfRange:        {Detail: "{field} : {value} n'est pas entre {min} et {max}"},
		reason.MisplacedField:    {Detail: "une autre requête a le champ \"{field}\", celle-ci ne l'a pas", Hint: frenchAPIHint},
		reason.QueryMalformed:    {Detail: "les paramètres de l'URL sont mal formés : {fault}", Hint: frenchAPIHint},
		reason.UnknownParameter:  {Detail: "paramètre d'URL inconnu \"{field}\"", Hint: frenchAPIHint},
		reason.RepeatedParameter: {Detail: "le paramètre d'URL \"{field}\" doit être donné une fois, avec une valeur", Hint: frenchAPIHint},
		reason.NotABoolean:       {Detail: "le paramètre d'URL \"{field}\" doit être true ou false", Hint: frenchAPIHint},
		reason.AnswerUnwritable:  {Detail: "la réponse ne peut pas être écrite en JSON : {fault}"},
	}
})
