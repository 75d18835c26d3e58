/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The socket device: VirtIO 1.2 §5.10; streams only.
 *
 * What the device has to say is not queued: each connection has a bit for each kind of packet that
 * it owes the driver, and resets of connections that do not exist wait in a ring. When that is
 * full, no packets are taken from the driver until it has given buffers for some (§5.10.6.1:
 * processing one queue may depend on the other only as long as there are resources).
 *
 * Bytes for the guest stay with the host until the guest has credit and a buffer; they are read
 * into that. Bytes from the guest go to the host at once; what the host does not take waits in the
 * connection, and its credit is what is free there.
 *
 * One lock guards everything. It is held during the back end's calls, which do not block.
 */
#include "virtio_vsock.h"

#include "vsock_packet.h"

enum {
    VSOCK_RX = 0, /* to the driver */
    VSOCK_TX = 1,
    VSOCK_EVENT = 2,
    VSOCK_QUEUES = 3,
    VSOCK_QUEUE_SIZE = 256,
    VSOCK_F_STREAM = 0,

    VSOCK_RESETS = 64,
    VSOCK_DATA_MAX = 65536,        /* of one packet to the driver */
    VSOCK_FIRST_PORT = 0x40000000, /* of connections that the host begins */
    VSOCK_LINGER = 8000 / 16,      /* updates until a driver must have answered */
};

typedef enum { CONN_FREE, CONN_OFFERED, CONN_OPEN, CONN_CLOSING } conn_state_t;

typedef struct {
    conn_state_t state;
    uint32_t generation;
    void *stream; /* NULL when free or closing */
    uint32_t guest_port, host_port;
    uint32_t owed;                       /* a bit for each VSOCK_OP_ to send */
    uint8_t shut_guest;                  /* VSOCK_SHUT_ flags from the driver */
    uint8_t shut_host;                   /* those sent to it, or owed */
    bool readable, ended, hung_up, gone; /* of the host's half; gone: it reads no more */
    bool asked;                          /* for credit */
    uint32_t linger;                     /* updates until it is reset; 0: no limit */

    uint32_t peer_alloc, peer_fwd, sent; /* bytes to the guest */
    uint32_t received, forwarded, told;  /* bytes from the guest; told: as the driver knows it */
    uint8_t *buffer;                     /* a ring of VIRTIO_VSOCK_BUFFER bytes, made when needed */
    uint32_t head, size;
} conn_t;

typedef struct {
    uint32_t guest_port, host_port;
    uint16_t type;
} vsock_reset_t;

typedef struct {
    virtio_dev_t *dev;
    vsock_host_t host;
    uint32_t cid;
    spinlock_t lock; /* guards what follows */
    conn_t conn[VIRTIO_VSOCK_CONNECTIONS_MAX];
    unsigned top;  /* connections from here on are free */
    unsigned turn; /* who is looked at first */
    uint32_t next_port;
    vsock_reset_t reset[VSOCK_RESETS];
    unsigned reset_head, resets;
    bool stalled;      /* the transmit queue waits for room in the ring of resets */
    bool tell_restart; /* the driver is to hear that its connections are lost */
} virtio_vsock_t;

/* --- Connections; the lock is held --- */

static uint64_t conn_id(const virtio_vsock_t *vsock, const conn_t *conn)
{
    return (uint64_t)conn->generation << 16 | (uint64_t)(conn - vsock->conn + 1);
}

static conn_t *conn_of_id(virtio_vsock_t *vsock, uint64_t id)
{
    uint64_t index = (id & 0xFFFF) - 1;
    conn_t *conn = index < VIRTIO_VSOCK_CONNECTIONS_MAX ? &vsock->conn[index] : NULL;
    return conn && conn->stream && conn->generation == id >> 16 ? conn : NULL;
}

static conn_t *conn_find(virtio_vsock_t *vsock, uint32_t guest_port, uint32_t host_port)
{
    for (unsigned i = 0; i < vsock->top; i++) {
        conn_t *conn = &vsock->conn[i];
        if (conn->state != CONN_FREE && conn->guest_port == guest_port &&
            conn->host_port == host_port) {
            return conn;
        }
    }
    return NULL;
}

static conn_t *conn_new(virtio_vsock_t *vsock, uint32_t guest_port, uint32_t host_port)
{
    unsigned i = 0;
    while (i < VIRTIO_VSOCK_CONNECTIONS_MAX && vsock->conn[i].state != CONN_FREE) {
        i++;
    }
    if (i == VIRTIO_VSOCK_CONNECTIONS_MAX) {
        return NULL;
    }
    vsock->top = i < vsock->top ? vsock->top : i + 1;
    conn_t *conn = &vsock->conn[i];
    uint32_t generation = conn->generation + 1;
    *conn = (conn_t){.generation = generation, .guest_port = guest_port, .host_port = host_port};
    return conn;
}

/* Lets go of the host's half. */
static void conn_detach(virtio_vsock_t *vsock, conn_t *conn)
{
    if (conn->stream) {
        vsock->host.close(conn->stream);
    }
    conn->stream = NULL;
    free(conn->buffer);
    conn->buffer = NULL;
    conn->size = conn->head = 0;
}

static void conn_free(virtio_vsock_t *vsock, conn_t *conn)
{
    conn_detach(vsock, conn);
    conn->state = CONN_FREE;
    conn->owed = 0;
    while (vsock->top && vsock->conn[vsock->top - 1].state == CONN_FREE) {
        vsock->top--;
    }
}

static void conn_owe(conn_t *conn, unsigned op)
{
    conn->owed |= UINT32_C(1) << op;
}

/* Ends a connection from this side: all that is still to come is a reset. */
static void conn_reset(virtio_vsock_t *vsock, conn_t *conn)
{
    conn_detach(vsock, conn);
    conn->state = CONN_CLOSING;
    conn->owed = UINT32_C(1) << VSOCK_OP_RST;
}

/* Tells the driver that the host will not send, or not receive, any more. */
static void conn_shut_host(conn_t *conn, unsigned flags)
{
    if (conn->shut_host != (conn->shut_host | flags)) {
        conn->shut_host |= (uint8_t)flags;
        conn_owe(conn, VSOCK_OP_SHUTDOWN);
        conn->linger = conn->shut_host == VSOCK_SHUT_BOTH ? VSOCK_LINGER : conn->linger;
    }
}

/* How many bytes the guest takes now (§5.10.6.3). */
static uint32_t conn_credit(const conn_t *conn)
{
    uint32_t waiting = conn->sent - conn->peer_fwd;
    return waiting < conn->peer_alloc ? conn->peer_alloc - waiting : 0;
}

static void conn_forwarded(conn_t *conn, size_t bytes)
{
    conn->forwarded += (uint32_t)bytes;
    uint32_t news = conn->forwarded - conn->told;
    uint32_t room =
        VIRTIO_VSOCK_BUFFER - (conn->received - conn->told); /* as the driver knows it */
    if (news >= VIRTIO_VSOCK_BUFFER / 4 || (news && room < VIRTIO_VSOCK_BUFFER / 8)) {
        conn_owe(conn, VSOCK_OP_CREDIT_UPDATE);
    }
}

/* Nobody reads what the guest sends. */
static void conn_gone(conn_t *conn)
{
    conn->gone = true;
    conn_forwarded(conn, conn->size);
    conn->size = 0;
    conn_shut_host(conn, VSOCK_SHUT_RCV);
}

/* All that the guest sent is with the host: carries out what the driver's SHUTDOWN asked for. */
static void conn_drained(virtio_vsock_t *vsock, conn_t *conn)
{
    if (conn->shut_guest == VSOCK_SHUT_BOTH) {
        conn_reset(vsock, conn);
    } else if (conn->shut_guest & VSOCK_SHUT_SEND) {
        vsock->host.shutdown(conn->stream, false, true);
    }
}

/* Gives waiting bytes to the host. */
static void conn_flush(virtio_vsock_t *vsock, conn_t *conn)
{
    bool had = conn->size != 0;
    while (conn->size && !conn->gone) {
        uint32_t piece = VIRTIO_VSOCK_BUFFER - conn->head;
        piece = piece < conn->size ? piece : conn->size;
        ptrdiff_t put = vsock->host.write(conn->stream, conn->buffer + conn->head, piece);
        if (put < 0) {
            conn_gone(conn);
            break;
        }
        conn->head = (conn->head + (uint32_t)put) % VIRTIO_VSOCK_BUFFER;
        conn->size -= (uint32_t)put;
        conn_forwarded(conn, (size_t)put);
        if ((size_t)put < piece) {
            break;
        }
    }
    if (conn->size) {
        vsock->host.want(conn->stream, VSOCK_WRITABLE);
    } else if (had) {
        conn_drained(vsock, conn);
    }
}

/* --- From the driver; the lock is held --- */

/* Answers a packet that belongs to nothing. There is room. */
static void vsock_refuse(virtio_vsock_t *vsock, const vsock_hdr_t *hdr)
{
    if (hdr->op != VSOCK_OP_RST) {
        vsock->reset[(vsock->reset_head + vsock->resets++) % VSOCK_RESETS] =
            (vsock_reset_t){hdr->src_port, hdr->dst_port, hdr->type};
    }
}

static void vsock_request(virtio_vsock_t *vsock, const vsock_hdr_t *hdr)
{
    conn_t *conn = conn_new(vsock, hdr->src_port, hdr->dst_port);
    if (conn) {
        conn->stream = vsock->host.connect(vsock->host.opaque, hdr->dst_port, conn_id(vsock, conn));
    }
    if (!conn || !conn->stream) {
        vsock_refuse(vsock, hdr);
        return;
    }
    conn->state = CONN_OPEN;
    conn->peer_alloc = hdr->buf_alloc;
    conn->peer_fwd = hdr->fwd_cnt;
    conn_owe(conn, VSOCK_OP_RESPONSE);
    vsock->host.want(conn->stream, VSOCK_READABLE);
}

/* Keeps bytes that the host does not take now; false when there is no memory. They fit. */
static bool conn_keep(conn_t *conn, const uint8_t *bytes, size_t len)
{
    if (!conn->buffer && !(conn->buffer = malloc(VIRTIO_VSOCK_BUFFER))) {
        return false;
    }
    while (len) {
        uint32_t tail = (conn->head + conn->size) % VIRTIO_VSOCK_BUFFER;
        size_t piece = VIRTIO_VSOCK_BUFFER - tail;
        piece = piece < len ? piece : len;
        memcpy(conn->buffer + tail, bytes, piece);
        conn->size += (uint32_t)piece;
        bytes += piece;
        len -= piece;
    }
    return true;
}

/* One piece of what the guest sends; false when there is no memory. */
static bool conn_take_piece(virtio_vsock_t *vsock, conn_t *conn, const uint8_t *bytes, size_t len)
{
    ptrdiff_t put = 0;
    if (!conn->size && !conn->gone) {
        put = vsock->host.write(conn->stream, bytes, len);
        if (put < 0) {
            conn_gone(conn);
        }
    }
    if (conn->gone) {
        conn_forwarded(conn, len);
        return true;
    }
    conn_forwarded(conn, (size_t)put);
    return (size_t)put == len || conn_keep(conn, bytes + put, len - (size_t)put);
}

/* §5.10.6.3: more than the credit, or more than the packet holds, ends the connection. */
static void conn_take(virtio_vsock_t *vsock, conn_t *conn, const vsock_hdr_t *hdr,
                      virtq_chain_t *chain)
{
    uint32_t room = VIRTIO_VSOCK_BUFFER - (conn->received - conn->forwarded);
    bool ok = conn->state == CONN_OPEN && !(conn->shut_guest & VSOCK_SHUT_SEND) &&
              hdr->len <= room && hdr->len <= virtq_readable_left(chain) && virtq_begin(chain);
    virtq_span_t span;
    if (!ok) {
        conn_reset(vsock, conn);
        return;
    }
    conn->received += hdr->len;
    for (size_t left = hdr->len; ok && left && virtq_next_readable(chain, left, &span);
         left -= span.len) {
        ok = conn_take_piece(vsock, conn, span.ptr, span.len);
    }
    virtq_end(chain);
    if (!ok) {
        conn_reset(vsock, conn);
    } else if (conn->size) {
        vsock->host.want(conn->stream, VSOCK_WRITABLE);
    }
}

static void conn_accepted(virtio_vsock_t *vsock, conn_t *conn)
{
    if (conn->state != CONN_OFFERED) {
        conn_reset(vsock, conn);
        return;
    }
    conn->state = CONN_OPEN;
    conn->linger = 0;
    vsock->host.accepted(conn->stream, conn->host_port);
    vsock->host.want(conn->stream, VSOCK_READABLE);
}

static void conn_shut_guest(virtio_vsock_t *vsock, conn_t *conn, uint32_t flags)
{
    unsigned added = flags & VSOCK_SHUT_BOTH & ~(unsigned)conn->shut_guest;
    conn->shut_guest |= (uint8_t)added;
    if (conn->state != CONN_OPEN) {
        conn_reset(vsock, conn);
        return;
    }
    if (added & VSOCK_SHUT_RCV) {
        vsock->host.shutdown(conn->stream, true, false);
    }
    if (added && !conn->size) {
        conn_drained(vsock, conn);
    }
}

static void conn_packet(virtio_vsock_t *vsock, conn_t *conn, const vsock_hdr_t *hdr,
                        virtq_chain_t *chain)
{
    if (conn->state == CONN_CLOSING) {
        if (hdr->op == VSOCK_OP_RST) {
            conn_free(vsock, conn);
        }
        return; /* a reset is on its way */
    }
    conn->peer_alloc = hdr->buf_alloc;
    conn->peer_fwd = hdr->fwd_cnt;
    conn->asked = conn->asked && !conn_credit(conn);
    switch (hdr->op) {
    case VSOCK_OP_RESPONSE:
        conn_accepted(vsock, conn);
        break;
    case VSOCK_OP_RST:
        conn_free(vsock, conn);
        break;
    case VSOCK_OP_SHUTDOWN:
        conn_shut_guest(vsock, conn, hdr->flags);
        break;
    case VSOCK_OP_RW:
        conn_take(vsock, conn, hdr, chain);
        break;
    case VSOCK_OP_CREDIT_UPDATE:
        break;
    case VSOCK_OP_CREDIT_REQUEST:
        conn_owe(conn, VSOCK_OP_CREDIT_UPDATE);
        break;
    default:
        conn_reset(vsock, conn);
        break;
    }
}

/* A packet from the driver. Those from or to a CID that is not on this line are dropped. */
static void vsock_packet(virtio_vsock_t *vsock, virtq_chain_t *chain)
{
    uint8_t bytes[VSOCK_HDR];
    vsock_hdr_t hdr;
    if (!virtq_read_all(chain, bytes, sizeof(bytes))) {
        return;
    }
    vsock_hdr_read(bytes, &hdr);
    if (hdr.src_cid != vsock->cid || hdr.dst_cid != VIRTIO_VSOCK_HOST_CID) {
        return;
    }
    conn_t *conn =
        hdr.type == VSOCK_TYPE_STREAM ? conn_find(vsock, hdr.src_port, hdr.dst_port) : NULL;
    if (conn) {
        conn_packet(vsock, conn, &hdr, chain);
    } else if (hdr.type == VSOCK_TYPE_STREAM && hdr.op == VSOCK_OP_REQUEST) {
        vsock_request(vsock, &hdr);
    } else {
        vsock_refuse(vsock, &hdr);
    }
}

/* --- To the driver; the lock is held --- */

/* Puts a header in front of the `len` bytes of a chain, and gives it to the driver. */
static void vsock_send(virtio_vsock_t *vsock, virtq_chain_t *chain, vsock_hdr_t *hdr)
{
    uint8_t bytes[VSOCK_HDR];
    hdr->src_cid = VIRTIO_VSOCK_HOST_CID;
    hdr->dst_cid = vsock->cid;
    vsock_hdr_write(bytes, hdr);
    virtq_seek_writable(chain, 0);
    bool ok = virtq_write_all(chain, bytes, sizeof(bytes));
    virtq_push(chain, ok ? VSOCK_HDR + (size_t)hdr->len : 0);
}

static void conn_send(virtio_vsock_t *vsock, conn_t *conn, virtq_chain_t *chain, unsigned op,
                      uint32_t len)
{
    conn->told = conn->forwarded;
    conn->owed &= ~(UINT32_C(1) << VSOCK_OP_CREDIT_UPDATE);
    vsock_send(vsock, chain,
               &(vsock_hdr_t){
                   .src_port = conn->host_port,
                   .dst_port = conn->guest_port,
                   .len = len,
                   .type = VSOCK_TYPE_STREAM,
                   .op = (uint16_t)op,
                   .flags = op == VSOCK_OP_SHUTDOWN ? conn->shut_host : 0,
                   .buf_alloc = VIRTIO_VSOCK_BUFFER,
                   .fwd_cnt = conn->forwarded,
               });
}

/* The host's half has come to its end. */
static void conn_ended(conn_t *conn)
{
    conn->ended = true;
    conn_shut_host(conn, conn->hung_up || conn->gone ? VSOCK_SHUT_BOTH : VSOCK_SHUT_SEND);
}

/* Bytes from the host into a chain, behind the place of the header; 0: there are none now. */
static uint32_t conn_fetch(virtio_vsock_t *vsock, conn_t *conn, virtq_chain_t *chain)
{
    uint32_t credit = conn_credit(conn), total = 0;
    ptrdiff_t got = 1;
    virtq_span_t span = {NULL, 0};
    credit = credit < VSOCK_DATA_MAX ? credit : VSOCK_DATA_MAX;
    virtq_skip_writable(chain, VSOCK_HDR);
    if (!virtq_begin(chain)) {
        return 0;
    }
    while (total < credit && virtq_next_writable(chain, credit - total, &span)) {
        got = vsock->host.read(conn->stream, span.ptr, span.len);
        total += got > 0 ? (uint32_t)got : 0;
        if (got < (ptrdiff_t)span.len) {
            break;
        }
    }
    virtq_end(chain);
    if (got < 0) {
        conn->readable = false;
        conn_ended(conn);
    } else if (got < (ptrdiff_t)span.len) {
        conn->readable = false;
        vsock->host.want(conn->stream, VSOCK_READABLE);
    }
    return total;
}

static bool conn_can_read(const conn_t *conn)
{
    return conn->state == CONN_OPEN && conn->readable && !conn->ended &&
           !(conn->shut_guest & VSOCK_SHUT_RCV);
}

/* What a connection has to say next, as VSOCK_OP_; 0: nothing. */
static unsigned conn_next(conn_t *conn)
{
    static const uint8_t order[] = {VSOCK_OP_RST,      VSOCK_OP_REQUEST,
                                    VSOCK_OP_RESPONSE, VSOCK_OP_CREDIT_UPDATE,
                                    VSOCK_OP_SHUTDOWN, VSOCK_OP_CREDIT_REQUEST};
    for (unsigned i = 0; i < sizeof(order); i++) {
        if (conn->owed & UINT32_C(1) << order[i]) {
            return order[i];
        }
    }
    if (conn_can_read(conn) && conn_credit(conn)) {
        return VSOCK_OP_RW;
    }
    if (conn_can_read(conn) && !conn->asked) {
        conn->asked = true;
        return VSOCK_OP_CREDIT_REQUEST;
    }
    return 0;
}

static void conn_serve(virtio_vsock_t *vsock, conn_t *conn, virtq_chain_t *chain, unsigned op)
{
    uint32_t len = 0;
    if (op == VSOCK_OP_RW) {
        if (virtq_writable_left(chain) <= VSOCK_HDR) {
            virtq_push(chain, 0); /* no room for data: the driver's next buffer may have some */
            return;
        }
        len = conn_fetch(vsock, conn, chain);
        if (!len) {
            virtq_unpop(chain);
            return;
        }
        conn->sent += len;
    }
    conn->owed &= ~(UINT32_C(1) << op);
    conn_send(vsock, conn, chain, op, len);
    if (op == VSOCK_OP_RST) {
        conn_free(vsock, conn);
    }
}

/* The next connection in turn that has something to say. */
static conn_t *vsock_next(virtio_vsock_t *vsock, unsigned *op)
{
    for (unsigned i = 0; i < vsock->top; i++) {
        unsigned at = (vsock->turn + i) % vsock->top;
        if (vsock->conn[at].state != CONN_FREE && (*op = conn_next(&vsock->conn[at]))) {
            vsock->turn = at + 1;
            return &vsock->conn[at];
        }
    }
    return NULL;
}

/* One packet; false when there is none to send, or no buffer for it. */
static bool vsock_receive_one(virtio_vsock_t *vsock, virtq_t *vq)
{
    unsigned op = 0;
    conn_t *conn = vsock->resets ? NULL : vsock_next(vsock, &op);
    if (!vsock->resets && !conn) {
        return false;
    }
    virtq_chain_t *chain = virtq_pop(vq);
    if (!chain) {
        if (conn && op == VSOCK_OP_CREDIT_REQUEST) {
            conn->asked = false;
        }
        return false;
    }
    if (conn) {
        conn_serve(vsock, conn, chain, op);
        return true;
    }
    vsock_reset_t *reset = &vsock->reset[vsock->reset_head];
    vsock_send(vsock, chain,
               &(vsock_hdr_t){
                   .src_port = reset->host_port,
                   .dst_port = reset->guest_port,
                   .type = reset->type,
                   .op = VSOCK_OP_RST,
               });
    vsock->reset_head = (vsock->reset_head + 1) % VSOCK_RESETS;
    vsock->resets--;
    return true;
}

/* --- The queues --- */

static void vsock_receive(virtio_vsock_t *vsock)
{
    virtq_t *vq = virtio_queue(vsock->dev, VSOCK_RX);
    bool more = true;
    while (more) {
        spin_lock_slow(&vsock->lock);
        more = vsock_receive_one(vsock, vq);
        spin_unlock(&vsock->lock);
    }
    virtq_notify(vq);
}

/* Takes packets as long as each could be answered by a reset; true when it took any. */
static bool vsock_transmit(virtio_vsock_t *vsock)
{
    virtq_t *vq = virtio_queue(vsock->dev, VSOCK_TX);
    bool any = false, more = true;
    while (more) {
        virtq_chain_t *chain = NULL;
        spin_lock_slow(&vsock->lock);
        vsock->stalled = vsock->resets == VSOCK_RESETS;
        if (!vsock->stalled && (chain = virtq_pop(vq))) {
            vsock_packet(vsock, chain);
            virtq_push(chain, 0);
            any = true;
        }
        more = chain != NULL;
        spin_unlock(&vsock->lock);
    }
    virtq_notify(vq);
    return any;
}

static bool vsock_stalled(virtio_vsock_t *vsock)
{
    spin_lock_slow(&vsock->lock);
    bool stalled = vsock->stalled && vsock->resets < VSOCK_RESETS;
    spin_unlock(&vsock->lock);
    return stalled;
}

/* §5.10.6.7: the driver is told that its connections are gone. */
static void vsock_events(virtio_vsock_t *vsock)
{
    static const uint8_t transport_reset[4];
    virtq_t *vq = virtio_queue(vsock->dev, VSOCK_EVENT);
    virtq_chain_t *chain = NULL;
    spin_lock_slow(&vsock->lock);
    if (vsock->tell_restart && (chain = virtq_pop(vq))) {
        vsock->tell_restart = false;
        virtq_push(chain, virtq_write(chain, transport_reset, sizeof(transport_reset)));
    }
    spin_unlock(&vsock->lock);
    virtq_notify(vq);
}

static void vsock_notify(void *data, unsigned queue)
{
    virtio_vsock_t *vsock = data;
    if (queue == VSOCK_EVENT) {
        vsock_events(vsock);
        return;
    }
    if (queue == VSOCK_TX) {
        vsock_transmit(vsock);
    }
    vsock_receive(vsock);
    while (vsock_stalled(vsock) && vsock_transmit(vsock)) {
        vsock_receive(vsock);
    }
}

/* --- The host's calls --- */

static uint64_t vsock_offer(void *opaque, void *stream, uint32_t guest_port)
{
    virtio_vsock_t *vsock = opaque;
    uint64_t id = 0;
    spin_lock_slow(&vsock->lock);
    do {
        vsock->next_port = VSOCK_FIRST_PORT | ((vsock->next_port + 1) & (VSOCK_FIRST_PORT - 1));
    } while (conn_find(vsock, guest_port, vsock->next_port));
    conn_t *conn = virtio_ready(vsock->dev) ? conn_new(vsock, guest_port, vsock->next_port) : NULL;
    if (conn) {
        conn->state = CONN_OFFERED;
        conn->stream = stream;
        conn->linger = VSOCK_LINGER;
        conn_owe(conn, VSOCK_OP_REQUEST);
        id = conn_id(vsock, conn);
    }
    spin_unlock(&vsock->lock);
    if (id) {
        virtio_kick(vsock->dev, VSOCK_RX);
    }
    return id;
}

static void vsock_event(void *opaque, uint64_t id, unsigned events)
{
    virtio_vsock_t *vsock = opaque;
    spin_lock_slow(&vsock->lock);
    conn_t *conn = conn_of_id(vsock, id);
    if (conn && (events & VSOCK_HUNG_UP)) {
        conn->hung_up = true;
        if (conn->state == CONN_OFFERED) {
            conn_reset(vsock, conn);
            conn = NULL;
        } else if (conn->ended) {
            conn_shut_host(conn, VSOCK_SHUT_BOTH);
        }
    }
    if (conn && (events & (VSOCK_READABLE | VSOCK_HUNG_UP))) {
        conn->readable = true;
    }
    if (conn && (events & VSOCK_WRITABLE)) {
        conn_flush(vsock, conn);
    }
    spin_unlock(&vsock->lock);
    virtio_kick(vsock->dev, VSOCK_RX);
}

/* --- The device --- */

/* A driver that does not answer loses its connection. */
static void vsock_update(void *data)
{
    virtio_vsock_t *vsock = data;
    bool any = false;
    spin_lock_slow(&vsock->lock);
    for (unsigned i = 0; i < vsock->top; i++) {
        conn_t *conn = &vsock->conn[i];
        if (conn->stream && conn->linger && --conn->linger == 0) {
            conn_reset(vsock, conn);
            any = true;
        }
    }
    spin_unlock(&vsock->lock);
    if (any) {
        virtio_kick(vsock->dev, VSOCK_RX);
    }
}

static void vsock_reset(void *data)
{
    virtio_vsock_t *vsock = data;
    spin_lock_slow(&vsock->lock);
    for (unsigned i = VIRTIO_VSOCK_CONNECTIONS_MAX; i-- > 0;) {
        conn_free(vsock, &vsock->conn[i]);
    }
    vsock->resets = 0;
    vsock->stalled = vsock->tell_restart = false;
    spin_unlock(&vsock->lock);
}

/* Connections are not saved: the resumed driver hears that they are lost. */
static void vsock_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_vsock_t *vsock = data;
    if (snap && resume) {
        spin_lock_slow(&vsock->lock);
        vsock->tell_restart = true;
        spin_unlock(&vsock->lock);
    }
}

static void vsock_bind(void *data, virtio_dev_t *dev)
{
    virtio_vsock_t *vsock = data;
    vsock->dev = dev;
    const vsock_guest_t guest = {vsock, vsock_offer, vsock_event};
    vsock->host.attach(vsock->host.opaque, &guest);
}

static void vsock_remove(void *data)
{
    virtio_vsock_t *vsock = data;
    vsock_reset(vsock);
    vsock->host.free(vsock->host.opaque);
    free(vsock);
}

static const virtio_type_t vsock_type = {
    .name = "virtio-vsock",
    .bind = vsock_bind,
    .remove = vsock_remove,
    .notify = vsock_notify,
    .reset = vsock_reset,
    .update = vsock_update,
    .suspend = vsock_suspend,
};

bool virtio_vsock_describe(virtio_desc_t *desc, const vsock_host_t *host, uint32_t cid)
{
    /* guest_cid of the configuration space, made into bytes once, for as long as the device lives.
     */
    struct {
        virtio_vsock_t vsock;
        uint8_t config[8];
    } *made = calloc(1, sizeof(*made));
    if (!made) {
        host->free(host->opaque);
        return false;
    }
    made->vsock.host = *host;
    made->vsock.cid = cid;
    write_uint64_le_m(made->config, cid);
    *desc = (virtio_desc_t){
        .type = &vsock_type,
        .data = &made->vsock,
        .id = VIRTIO_ID_VSOCK,
        .features = VIRTIO_BIT(VSOCK_F_STREAM),
        .queues = VSOCK_QUEUES,
        .queue_size = {VSOCK_QUEUE_SIZE, VSOCK_QUEUE_SIZE, 16},
        .config_size = sizeof(made->config),
        .config = made->config,
    };
    return true;
}
