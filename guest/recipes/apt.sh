# SPDX-License-Identifier: MPL-2.0
# Fetches packages and sources from Debian with apt, as any user: its lists, state and settings lie in the cache and
# the system's stay as they are. The mirror and proxies are those that the system's apt uses, with the suite replaced;
# the archive's signature is checked against debian-archive-keyring.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror from which the system gets Debian's main archive.
apt_mirror() {
    . /etc/os-release
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v suite="${VERSION_CODENAME:-none}" '$2 == suite && $3 == "main" { print $1; exit }'
}

# Points APT_CONFIG at a private set-up for one suite and one kind (deb or deb-src), and brings its list up to date.
apt_use() { # suite kind
    need apt-get apt-cache
    [ -e $keyring ] || fail "debian-archive-keyring is not installed; run tools/deps.sh guest"
    unset APT_CONFIG
    mirror=$(apt_mirror)
    [ -n "$mirror" ] || fail "apt on this machine has no Debian mirror to take the guest's sources from"
    home=$cache/apt/$1-$2
    mkdir -p "$home/lists/partial" "$home/cache/archives/partial"
    : >>"$home/status"
    echo "$2 [signed-by=$keyring] $mirror $1 main" >"$home/sources.list.$$"
    {
        apt-config dump | grep -E '^Acquire::(http|https|ftp|socks|tor|Retries|ForceIPv)' || :
        cat <<EOF
Dir::State "$home";
Dir::State::lists "$home/lists";
Dir::State::status "$home/status";
Dir::Cache "$home/cache";
Dir::Etc::sourcelist "$home/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "";
EOF
    } >"$home/apt.conf.$$"
    mv "$home/sources.list.$$" "$home/sources.list"
    mv "$home/apt.conf.$$" "$home/apt.conf"
    export APT_CONFIG="$home/apt.conf"
    exec 8>"$home/lock"
    flock 8
    if [ -z "$(find "$home/updated" -mmin -720 2>/dev/null)" ]; then
        phase "reading the list of Debian $1"
        apt-get -o APT::Update::Error-Mode=any update || fail "apt cannot read $mirror ($1)"
        : >"$home/updated"
    fi
}

# The version to take: the pinned one if it is on offer, else the newest.
apt_version() { # package pinned
    offered=$(apt-cache madison "$1" | awk '{ print $3 }')
    [ -n "$offered" ] || fail "the mirror has no package $1"
    if echo "$offered" | grep -qxF -- "$2"; then
        echo "$2"
    else
        newest=$(echo "$offered" | head -n 1)
        echo "note: $1 $2 is no longer on the mirror; taking $newest" >>"$log"
        echo "$newest"
    fi
}

fetch_deb() { # suite package version
    apt_use "$1" deb
    version=$(apt_version "$2" "$3")
    phase "fetching $2 $version"
    apt-get download "$2=$version" || fail "cannot fetch $2 $version from $mirror"
    flock -u 8
}

# Upstream's tarball, and with kind "all" Debian's patches too.
fetch_source() { # suite package version all|upstream
    apt_use "$1" deb-src
    version=$(apt_version "$2" "$3")
    phase "fetching $2 $version"
    case $4 in
    upstream) apt-get source --download-only --tar-only "$2=$version" ;;
    *) apt-get source --download-only "$2=$version" ;;
    esac || fail "cannot fetch the source of $2 $version from $mirror"
    flock -u 8
}

# Unpacks what fetch_source brought, with Debian's patches.
unpack_source() { # package directory
    mkdir "$2"
    for tarball in "$1"_*.orig.tar.?z "$1"_*.orig.tar.bz2; do
        [ ! -e "$tarball" ] || tar -C "$2" --strip-components=1 -xf "$tarball"
    done
    tar -C "$2" -xf "$1"_*.debian.tar.xz
    [ ! -e "$2/debian/patches/series" ] || grep -v -e '^#' -e '^$' "$2/debian/patches/series" | while read -r name; do
        patch -s -d "$2" -p1 <"$2/debian/patches/$name"
    done
}
