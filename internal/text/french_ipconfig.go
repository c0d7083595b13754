package text

// frenchIpconfig has what ipconfig says. Its labels are those that people know
// from French systems.
func frenchIpconfig() dictionary {
	return dictionary{
		"column|37":                       "43",
		"%s IP Configuration":             "Configuration IP de %s",
		"Yes":                             "Oui",
		"No":                              "Non",
		"Host Name":                       "Nom de l'hôte",
		"Primary Dns Suffix ":             "Suffixe DNS principal",
		"IP Routing Enabled":              "Routage IP activé",
		"DNS Suffix Search List":          "Liste de recherche des suffixes DNS",
		"Media State":                     "Statut du média",
		"Media disconnected":              "Média déconnecté",
		"Connection-specific DNS Suffix ": "Suffixe DNS propre à la connexion",
		"Description":                     "Description",
		"Physical Address":                "Adresse physique",
		"DHCP Enabled":                    "DHCP activé",
		"(Preferred)":                     "(préféré)",
		"Link-local IPv6 Address":         "Adresse IPv6 de liaison locale",
		"IPv6 Address":                    "Adresse IPv6",
		"IPv4 Address":                    "Adresse IPv4",
		"Autoconfiguration IPv4 Address":  "Adresse d'autoconfiguration IPv4",
		"Subnet Mask":                     "Masque de sous-réseau",
		"Lease Obtained":                  "Bail obtenu",
		"Lease Expires":                   "Bail expirant",
		"Default Gateway":                 "Passerelle par défaut",
		"DHCP Server":                     "Serveur DHCP",
		"DNS Servers":                     "Serveurs DNS",
		"Primary WINS Server":             "Serveur WINS principal",
		"Secondary WINS Server":           "Serveur WINS secondaire",
		"Ethernet adapter %s:":            "Carte Ethernet %s :",
		"Wireless LAN adapter %s:":        "Carte réseau sans fil %s :",
		"PPP adapter %s:":                 "Carte PPP %s :",
		"Tunnel adapter %s:":              "Carte Tunnel %s :",
		"Unknown adapter %s:":             "Carte inconnue %s :",

		"ipconfig: this command line is not understood: %s": "ipconfig: cette ligne de commande n'est pas comprise : %s",
		"%s could not be released: %s":                      "%s n'a pas pu être libéré : %s",
		"%s could not be renewed: %s":                       "%s n'a pas pu être renouvelé : %s",
		"%s (error %s)":                                     "%s (erreur %s)",
		"no adapter is managed by DHCP: nothing was done":   "aucun adaptateur n'est géré par DHCP : rien n'a été fait",
		"no adapter has a name like %q: nothing was done":   "aucun adaptateur n'a un nom comme %q : rien n'a été fait",
		"/%s: %s": "/%s : %s",
		"/%s: no IPv6 lease is managed: the kernel configures IPv6 by router advertisements": "/%s : aucun bail IPv6 n'est géré : le noyau configure IPv6 par les annonces des routeurs",
		"adapter": "adaptateur",
		`  (nothing)   show the addresses of the adapters
  /all        show all that is known of the adapters
  /release    give back the IPv4 addresses obtained by DHCP
  /renew      renew the IPv4 addresses obtained by DHCP
  /release6   give back the IPv6 leases
  /renew6     renew the IPv6 leases
  /?          show this help

A dash does for the slash, in any case: -Renew. Without an adapter: all that are
managed by DHCP. In its name * stands for any characters and ? for one; a shell
wants quotes around them:

  ipconfig /renew             renew all adapters
  ipconfig /renew eth0        renew one
  ipconfig /release "wl*"     release all whose names begin so
`: `  (rien)      montrer les adresses des adaptateurs
  /all        montrer tout ce qui est connu des adaptateurs
  /release    rendre les adresses IPv4 obtenues par DHCP
  /renew      renouveler les adresses IPv4 obtenues par DHCP
  /release6   rendre les baux IPv6
  /renew6     renouveler les baux IPv6
  /?          montrer cette aide

Un tiret remplace la barre, en majuscules ou minuscules : -Renew. Sans
adaptateur : tous ceux qui sont gérés par DHCP. Dans son nom, * remplace des
caractères quelconques et ? un seul ; un shell veut des guillemets autour :

  ipconfig /renew             renouveler tous les adaptateurs
  ipconfig /renew eth0        en renouveler un
  ipconfig /release "wl*"     libérer tous ceux dont le nom commence ainsi
`,
	}
}
