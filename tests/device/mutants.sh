#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Shows that the device tests can fail: builds each device with one deliberate defect at a time and
# expects its tests to notice. Usage: tests/device/mutants.sh [WORD]   (only defects with WORD in them)
#
# A line of the table is: source file | what is wrong now | sed expression that makes it so.
# BUILD names the build directory (build), CC the compiler.
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build}
dir=$build/mutants
cc=${CC:-gcc}
flags="-std=gnu11 -O1 -w -fPIC -pthread -Iinclude -Isrc -Itests -Isrc/devices"
only=$1

tests_of() {
    case $1 in
    plic) echo "plic snapshots threads" ;;
    clint) echo "clint snapshots" ;;
    ns16550a) echo "uart_interrupts uart_registers uart_flow snapshots threads" ;;
    rtc_goldfish) echo "rtc_goldfish snapshots" ;;
    syscon) echo "syscon" ;;
    virtio_blk) echo "virtio_blk" ;;
    virtio_gpu | virtio_gpu_* | edid) echo "virtio_gpu" ;;
    virtio_input | evdev) echo "virtio_input" ;;
    virtio_snd) echo "virtio_snd" ;;
    framebuffer) echo "framebuffer" ;;
    virtio_net | virtio_net_ctrl | net_offload) echo "virtio_net virtio_net_threads" ;;
    esac
}

table() {
    cat <<'EOF'
plic|ties go to the higher number|s/priority\[irq\] > plic->priority\[best\]/priority[irq] >= plic->priority[best]/
plic|lower numbers first, whatever the priority|s/if (plic->priority\[irq\] > plic->priority\[best\])/if (!best \&\& plic->priority[irq])/
plic|the threshold lets equal priorities pass|s/> ctx->threshold;/>= ctx->threshold;/
plic|the threshold is ignored|s/bool eip = .*;/bool eip = plic_best(plic, ctx) != 0;/
plic|M and S lines are swapped|s/(index & 1) ? IRQ_HOST_SEIP/(index \& 1) == 0 ? IRQ_HOST_SEIP/
plic|all contexts reach hart 0|s/opaque, index >> 1, line/opaque, 0, line/
plic|a lowered line takes its request back|s/plic->level &= ~bit;/plic->level \&= ~bit; plic->pending \&= ~bit; plic_update(plic);/
plic|a request does not interrupt at once|/static void plic_request/,/^}/s/plic_update(plic);//
plic|edges during a claim are lost|s/        plic->again |= bit;/;/
plic|levels during a claim are kept|s/    } else if (keep) {/    } else {/
plic|pulses during a claim are lost|s/plic_request(plic, bit, plic->pulsed & bit);/plic_request(plic, bit, false);/
plic|requests pass a closed gateway|s/if (!(plic->claimed & bit)) {/if (1) {/
plic|edges of source 0 count|s/if (irq > 0 && irq < PLIC_SOURCES) {/if (irq < PLIC_SOURCES) {/
plic|numbers of edges wrap at 64|s/if (irq > 0 && irq < PLIC_SOURCES) {$/if (irq \& 63) {/
plic|source 0 exists|s/if (irq == 0 || irq >= PLIC_SOURCES)/if (irq >= PLIC_SOURCES)/
plic|numbers wrap at 64|s/if (irq == 0 || irq >= PLIC_SOURCES)/irq %= 64; if (irq == 0)/
plic|a claim leaves the request pending|s/        plic->pending &= ~bit;/;/
plic|a claim does not lower the line|/plic->pulsed = /{n;s/plic_update(plic);//}
plic|a claim obeys the threshold|s/    if (irq) {/    if (irq \&\& plic->priority[irq] > plic->context[index].threshold) {/
plic|completion needs no enable|s/bit & plic->context\[index\].enable & plic->claimed/bit \& plic->claimed/
plic|completion needs no claim|s/bit & plic->context\[index\].enable & plic->claimed/bit \& plic->context[index].enable/;s/plic->pending |= (plic->level/plic->pending = (plic->pending \& ~bit) | (plic->level/
plic|a level that is still high does not ask again|s/(plic->level | plic->again) & bit/plic->again \& bit/
plic|kept edges come twice|s/    plic->again &= ~bit;/;/
plic|completion does not raise the line|/plic->again &= ~bit;/{n;s/plic_update(plic);//}
plic|thresholds are not read back|s/return plic->context\[index\].threshold;/return 0;/
plic|priorities have eight bits|s/priority\[irq\] = val & PLIC_PRIO_MASK/priority[irq] = val/
plic|thresholds have eight bits|s/threshold = val & PLIC_PRIO_MASK;/threshold = val;/
plic|a new threshold counts later|/threshold = val & PLIC_PRIO_MASK;/{n;s/plic_update(plic);//}
plic|a new priority counts later|/priority\[irq\] = val & PLIC_PRIO_MASK;/{n;s/plic_update(plic);//}
plic|a new enable counts later|/(uint64_t)val << (word \* 32)) & /{n;s/plic_update(plic);//}
plic|source 0 can be enabled|s/<< (word \* 32)) & ~UINT64_C(1);/<< (word * 32));/
plic|one enable word clears the other|s/(\*enable & ~mask) |/0 |/
plic|priority of source 0 can be set|s/irq > 0 && irq < PLIC_SOURCES/irq < PLIC_SOURCES/
plic|the second pending word shows the first|s/mask >> (word \* 32)/mask/
plic|pending can be written|s/} else if (offset < PLIC_PENDING) {/} else if (offset >= PLIC_PENDING) { plic->pending |= val; } else {/
plic|reset keeps pulses|s/plic->pending = plic->level;/;/
plic|reset forgets levels|s/plic->pending = plic->level;/plic->pending = plic->level = 0;/
plic|reset keeps priorities|s/    memset(plic->priority, 0, sizeof(plic->priority));//
plic|reset leaves the lines up|/plic->context\[i\] = (plic_context_t){0};/{n;s/plic_drive_line(plic, i);//}
plic|a snapshot lacks the claims|s/.*rvvm_snapshot_field(snap, plic->claimed);//
plic|a snapshot lacks the enables|s/.*rvvm_snapshot_field(snap, plic->context\[i\].enable);//
plic|a snapshot lacks the kept edges|s/.*rvvm_snapshot_field(snap, plic->again);//
plic|a snapshot lacks the levels|s/.*rvvm_snapshot_field(snap, plic->level);//
plic|there are no locks|s/spin_lock(&plic->lock)/(void)0/
plic|the FDT counts source 0|s/PLIC_SOURCES - 1);/PLIC_SOURCES);/
clint|MSIP is inverted|s/IRQ_HOST_MSIP, val & 1);/IRQ_HOST_MSIP, !(val \& 1));/
clint|MSIP takes any bit|s/msip\[hart\] = val & 1;/msip[hart] = val;/
clint|MSIP is not kept|s/clint->msip\[hart\] = val & 1;//
clint|MSIP has no end|s/(offset >> 2) < clint->host->harts ? /(offset >> 2) < 0x1000 ? /;s/clint->msip\[offset >> 2\] : 0/1 : 0/
clint|the low half clears the high one|s/ticks = (ticks & .*$/ticks = (uint64_t)val << shift;/
clint|the halves are swapped|s/unsigned shift = (offset & 4) \* 8;/unsigned shift = (~offset \& 4) * 8;/
clint|mtime cannot be set|s/        host->set_time(host->opaque, ticks);$/;/
clint|all timers are hart 0's|s/host->set_mtimecmp(host->opaque, hart, ticks);/host->set_mtimecmp(host->opaque, 0, ticks);/
clint|reads of the upper word give the lower|s/>> ((offset & 4) \* 8)/>> 0/
clint|64-bit reads of MSIP miss the second hart|s/clint_read_word(clint, offset + 4)/0/
clint|64-bit writes of MSIP miss the second hart|s/clint_write_word(clint, offset + 4, .*$/;/
clint|mtimecmp has no end|s/return hart < host->harts ? host->get_mtimecmp(host->opaque, hart) : 0;/return hart < host->harts ? host->get_mtimecmp(host->opaque, hart) : 1;/
clint|reset fires the timers|s/hart, UINT64_MAX);/hart, 0);/
clint|reset keeps MSIP|s/host->set_irq(host->opaque, hart, IRQ_HOST_MSIP, false);//
clint|a snapshot lacks mtimecmp|s/rvvm_snapshot_field(snap, cmp) && resume/0/
clint|a snapshot lacks mtime|s/rvvm_snapshot_field(snap, ticks) && resume/0/
clint|the FDT swaps timer and software interrupt|s/= 7; .*/= 3;/
rtc_goldfish|the high half is not kept|s/        return rtc->time_high;/        return (uint32_t)(rtc_now(rtc) >> 32);/
rtc_goldfish|the clock cannot be set|s/        rtc->offset += .*/;/
rtc_goldfish|setting the low half clears the high one|s/(uint64_t)rtc->set_high << 32 | val/(uint64_t)val/
rtc_goldfish|the alarm comes one late|s/rtc_now(rtc) >= rtc->alarm/rtc_now(rtc) > rtc->alarm/
rtc_goldfish|the alarm ignores the set clock|s/rtc_now(rtc) >= rtc->alarm/rtc->host->wall_ns(rtc->host->opaque) >= rtc->alarm/
rtc_goldfish|the alarm comes again|s/        rtc->armed = 0;$/;/
rtc_goldfish|the alarm is not armed|s/        rtc->armed = 1;/;/
rtc_goldfish|ALARM_HIGH arms too|s/rtc->alarm = (uint64_t)val << 32 .*/&rtc->armed = 1;/
rtc_goldfish|ALARM_LOW clears ALARM_HIGH|s/(rtc->alarm & ~UINT64_C(0xFFFFFFFF)) | val/val/
rtc_goldfish|interrupts cannot be masked|s/rtc->irq_pending && rtc->irq_enabled/rtc->irq_pending/
rtc_goldfish|IRQ_ENABLED has all bits|s/irq_enabled = val & 1;/irq_enabled = (uint8_t)val;/
rtc_goldfish|CLEAR_INTERRUPT does nothing|s/        rtc->irq_pending = 0;/;/
rtc_goldfish|CLEAR_ALARM also clears the interrupt's enable|/case RTC_CLEAR_ALARM:/{n;s/rtc->armed = 0;/;/}
rtc_goldfish|update never looks|s/    if (rtc->armed) {/    if (0) {/
rtc_goldfish|reset keeps the alarm|s/    rtc->armed = rtc->irq_enabled = rtc->irq_pending = 0;//
rtc_goldfish|reset resets the clock|s/    rtc->alarm = 0;/    rtc->alarm = 0; rtc->offset = 0;/
rtc_goldfish|a snapshot lacks the alarm|s/.*rvvm_snapshot_field(snap, rtc->alarm);//
syscon|power off resets|s/rvvm_reset_machine(dev->machine, .*/rvvm_reset_machine(dev->machine, true);/
syscon|reset powers off|s/rvvm_reset_machine(dev->machine, .*/rvvm_reset_machine(dev->machine, false);/
syscon|any offset will do|s/if (offset == 0)/if (1)/
syscon|any value will do|s/if (val == SYSCON_POWEROFF .*/if (val) {/
syscon|a 32-bit write is compared whole|s/uint16_t val = util_get_le16(data);/uint32_t val = size == 4 ? util_get_le32(data) : util_get_le16(data);/
syscon|the FDT swaps the values|s/regmap, SYSCON_POWEROFF/regmap, SYSCON_RESET/
ns16550a|the FIFO is a stack|s/uint8_t byte = fifo->byte\[fifo->head\];/uint8_t byte = fifo->byte[(fifo->head + fifo->count - 1) % 16];/
ns16550a|the FIFOs hold 17 bytes|s/? UART_FIFO_SIZE : 1;/? 17 : 1;/
ns16550a|character mode holds 16 bytes|s/? UART_FIFO_SIZE : 1;/? UART_FIFO_SIZE : 16;/
ns16550a|trigger levels are 1, 4, 8, 12|s/{1, 4, 8, 14}/{1, 4, 8, 12}/
ns16550a|trigger levels are off by one|s/rx.count >= uart_trigger(uart)/rx.count > uart_trigger(uart)/
ns16550a|there is no character timeout|s/UART_IIR_DATA : UART_IIR_TIMEOUT/UART_IIR_DATA : UART_IIR_NONE/
ns16550a|a timeout is reported as data|s/UART_IIR_DATA : UART_IIR_TIMEOUT/UART_IIR_DATA : UART_IIR_DATA/
ns16550a|ELSI is ignored|s/(uart->ier & UART_IER_ELSI) && (/(/
ns16550a|line errors of the next byte do not interrupt|s/(uart->overrun || uart_rx_error(uart))/uart->overrun/
ns16550a|overruns do not interrupt|s/(uart->overrun || uart_rx_error(uart))/uart_rx_error(uart)/
ns16550a|ERBFI is ignored|s/(uart->ier & UART_IER_ERBFI) && uart->rx.count/uart->rx.count/
ns16550a|ETBEI is ignored|s/(uart->ier & UART_IER_ETBEI) && uart->thre_pending/uart->thre_pending/
ns16550a|EDSSI is ignored|s/(uart->ier & UART_IER_EDSSI) && (/(/
ns16550a|THRE follows the FIFO, not its own flag|s/(uart->ier & UART_IER_ETBEI) && uart->thre_pending/(uart->ier \& UART_IER_ETBEI) \&\& !uart->tx.count/
ns16550a|modem status comes before THRE|s/if ((uart->ier & UART_IER_ETBEI) && uart->thre_pending)/if ((uart->ier \& UART_IER_ETBEI) \&\& uart->thre_pending \&\& !((uart->ier \& 8) \&\& (uart->msr \& 15)))/
ns16550a|THRE comes before data|s/if ((uart->ier & UART_IER_ERBFI) && uart->rx.count)/if ((uart->ier \& UART_IER_ERBFI) \&\& uart->rx.count \&\& !((uart->ier \& 2) \&\& uart->thre_pending))/
ns16550a|the line is an edge|s/        irq_line_set(&uart->line, level);/        irq_line_set(\&uart->line, level); irq_line_set(\&uart->line, false);/
ns16550a|reading IIR does not answer THRE|s/    if (iir == UART_IIR_THRE) {/    if (0) {/
ns16550a|reading IIR always answers THRE|s/    if (iir == UART_IIR_THRE) {/    if (1) {/
ns16550a|IIR tells no FIFOs|s/return iir | .*/return iir;/
ns16550a|writing THR does not answer THRE|/static void uart_write_thr/,/^}/s/    uart->thre_pending = 0;//
ns16550a|THRE is not set when the FIFO runs empty|/static void uart_drain_tx/,/^}/s/    uart->thre_pending = UART_THRE_LOOKS;//
ns16550a|THRE is not answered by looking at LSR|s/        uart->thre_pending--;//
ns16550a|THRE is answered by one look at LSR|s/        uart->thre_pending--;/        uart->thre_pending = 0;/
ns16550a|looking at LSR for input answers THRE|/static uint8_t uart_read_lsr/,/^}/s/if (uart_interrupt(uart) == UART_IIR_THRE)/if (uart->thre_pending)/
ns16550a|THRE is set though bytes are left|s/        if (sent == 0) {/        if (sent == 0) { uart->thre_pending = 1;/
ns16550a|LSR tells THRE though bytes are left|s/lsr |= uart->tx.count ? 0 : /lsr |= /
ns16550a|LSR lacks TEMT|s/UART_LSR_THRE | UART_LSR_TEMT;/UART_LSR_THRE;/
ns16550a|enabling ETBEI does not set THRE|s/if ((enabled & UART_IER_ETBEI) && !uart->tx.count)/if (0)/
ns16550a|rewriting ETBEI sets THRE|s/uint8_t enabled = val & ~uart->ier;/uint8_t enabled = val;/
ns16550a|enabling ETBEI sets THRE though bytes are left|s/if ((enabled & UART_IER_ETBEI) && !uart->tx.count)/if (enabled \& UART_IER_ETBEI)/
ns16550a|IER has eight bits|s/uart->ier = val & UART_IER_MASK;/uart->ier = val;/
ns16550a|reading LSR keeps OE|/static uint8_t uart_read_lsr/,/^}/s/    uart->overrun = 0;//
ns16550a|reading LSR keeps BI and FE|s/uart->rx.error\[uart->rx.head\] = 0;/;/
ns16550a|errors show before their byte|s/uint8_t lsr = uart->overrun | uart_rx_error(uart);/uint8_t lsr = uart->overrun | (uart_fifo_has_error(uart) ? 0x18 : 0);/
ns16550a|LSR bit 7 is always 0|s/return errors && .*/return false;/
ns16550a|LSR bit 7 is set in character mode|s/return errors && .*/return errors;/
ns16550a|reading MSR keeps the deltas|s/    uart->msr &= (uint8_t)~UART_MSR_DELTAS;//
ns16550a|a new MCR forgets older deltas|s/lines | (uart->msr & UART_MSR_DELTAS);/lines;/
ns16550a|RI tells both its ends|s/(changed & ~lines & UART_MSR_RI)/(changed \& UART_MSR_RI)/
ns16550a|RI tells its beginning|s/(changed & ~lines & UART_MSR_RI)/(changed \& lines \& UART_MSR_RI)/
ns16550a|CTS tells no change|s/(changed & UART_MSR_CTS) ? UART_MSR_DCTS : 0/0/
ns16550a|DSR tells no change|s/(changed & UART_MSR_DSR) ? UART_MSR_DDSR : 0/0/
ns16550a|DCD tells no change|s/(changed & UART_MSR_DCD) ? UART_MSR_DDCD : 0/0/
ns16550a|the loop swaps OUT1 and OUT2|s/(mcr & UART_MCR_OUT1) ? UART_MSR_RI/(mcr \& UART_MCR_OUT2) ? UART_MSR_RI/;s/(mcr & UART_MCR_OUT2) ? UART_MSR_DCD/(mcr \& UART_MCR_OUT1) ? UART_MSR_DCD/
ns16550a|the loop shows the lines outside|s/    if (!(mcr & UART_MCR_LOOP)) {/    if (1) {/
ns16550a|looped bytes go outside|/static void uart_drain_tx/,/^}/s/if (uart->mcr & UART_MCR_LOOP) {/if (0) {/
ns16550a|input from outside enters the loop|/static bool uart_listens/,/^}/s/if (uart->mcr & UART_MCR_LOOP) {/if (0) {/
ns16550a|input is not fetched when the loop opens|s/    uart_exchange(uart, 0);//
ns16550a|MCR has eight bits|s/uart->mcr = val & UART_MCR_MASK;/uart->mcr = val;/
ns16550a|overruns are not told|s/        uart->overrun = UART_LSR_OE;/;/
ns16550a|an overrun replaces a byte|s/        uart->overrun = UART_LSR_OE;/        uart->overrun = UART_LSR_OE; uart->rx.byte[uart->rx.head] = byte;/
ns16550a|a break has no byte|s/uart_loop_byte(uart, 0, UART_LSR_BI | UART_LSR_FE);/uart->overrun = 0;/
ns16550a|a break repeats|s/(val & ~uart->lcr & UART_LCR_BREAK)/(val \& UART_LCR_BREAK)/
ns16550a|a break outside the loop is received|s/ && (uart->mcr & UART_MCR_LOOP)) {/) {/
ns16550a|DLAB is ignored|s/bool dlab = .*/bool dlab = false;/
ns16550a|reading DLL takes a byte|s/return dlab ? uart->dll : uart_read_rbr(uart);/{ uint8_t b = uart_read_rbr(uart); return dlab ? uart->dll : b; }/
ns16550a|DLL and DLM are one|s/uart->dlm = val;/uart->dll = val;/
ns16550a|SCR is not there|s/uart->scr = val;/;/
ns16550a|FCR bits count without the enable bit|s/        val = 0;$/;/;s/uart->fcr = val & UART_FCR_KEPT;/uart->fcr = (val \& 1) ? (val \& 1) | uart->fcr | (val \& 0xC0) : val \& UART_FCR_KEPT;/
ns16550a|switching FIFOs keeps the receiver|s/if (toggled || (val & UART_FCR_CLEAR_RX))/if (val \& UART_FCR_CLEAR_RX)/
ns16550a|switching FIFOs keeps the transmitter|s/if ((toggled || (val & UART_FCR_CLEAR_TX)) && /if ((val \& UART_FCR_CLEAR_TX) \&\& /
ns16550a|any write to FCR clears|s/bool toggled = .*/bool toggled = true;/
ns16550a|FCR bit 1 does nothing|s/if (toggled || (val & UART_FCR_CLEAR_RX))/if (toggled)/
ns16550a|FCR bit 2 does nothing|s/if ((toggled || (val & UART_FCR_CLEAR_TX)) && /if (toggled \&\& /
ns16550a|FCR bit 1 clears both|s/(val & UART_FCR_CLEAR_TX)) && /(val \& (UART_FCR_CLEAR_TX | UART_FCR_CLEAR_RX))) \&\& /
ns16550a|clearing the transmitter does not set THRE|/static void uart_write_fcr/,/^}/s/        uart->thre_pending = UART_THRE_LOOKS;//
ns16550a|a full transmit FIFO overwrites|s/if (uart->tx.count < uart_depth(uart)) {/if (uart->tx.count == uart_depth(uart)) fifo_pop(\&uart->tx);\n    if (1) {/
ns16550a|the emptied FIFO waits for a tick|/static uint8_t uart_read_rbr/,/^}/s/            uart_fill_rx(uart);//;/static uint8_t uart_read_lsr/,/^}/s/        uart_fill_rx(uart);//
ns16550a|more is read than fits|s/chardev_read(uart->chardev, buf, room)/chardev_read(uart->chardev, buf, 16)/
ns16550a|room is not looked at|s/unsigned room = .*/unsigned room = 16;/
ns16550a|a lying chardev is believed|s/size_t sent = util_min_u64(\(.*\), run);/size_t sent = \1;/
ns16550a|sent bytes are sent again|s/tx->head = (tx->head + sent) % UART_FIFO_SIZE;/;/
ns16550a|bytes that the chardev refuses are dropped|s/        if (sent == 0) {/        if (sent == 0) { fifo_pop(tx); continue;/
ns16550a|notes are not answered|s/        uart_exchange(uart, __atomic_exchange_n(&uart->notes, 0, __ATOMIC_ACQ_REL));/__atomic_exchange_n(\&uart->notes, 0, __ATOMIC_ACQ_REL);/
ns16550a|notes left while the lock is held are forgotten|/static void uart_unlock/,/^}/s/    uart_answer_notes(uart);//
ns16550a|notify waits for the lock|s/ || !spin_try_lock(&uart->lock)) {/) {/;s/        uart_exchange(uart, __atomic_exchange_n/        spin_lock(\&uart->lock); &/
ns16550a|notes do not move the line|/static void uart_answer_notes/,/^}/s/        uart_update_line(uart);//
ns16550a|update does nothing|/static void uart_update(/,/^}/s/    uart_exchange(uart, .*//
ns16550a|update leaves the chardev alone|s/    chardev_update(uart->chardev);//
ns16550a|input is fetched before the driver listens|s/return uart->polls >= UART_POLLS;/return true;/
ns16550a|a polling guest gets nothing|s/return uart->polls >= UART_POLLS;/return false;/
ns16550a|printing counts as polling|s/    uart->polls -= uart->polls > 0;.*//
ns16550a|configuring does not end polling|s/    uart->polls = 0;//
ns16550a|the byte that came before the FIFOs is lost|s/            uart->held = uart->rx;/;/
ns16550a|the byte that came before the FIFOs comes at once|s/            uart->held_ready = false;/            uart->held_ready = true;/
ns16550a|later bytes overtake the one that came before the FIFOs|/if (uart->held.count) {/,/^    }/s/        return;$/;/
ns16550a|a snapshot lacks the byte that is sent again|s/    uart_snapshot_fifo(snap, &uart->held);//
ns16550a|RTS is ignored|s/return (uart->mcr & UART_MCR_RTS) || !uart->rts_used;/return true;/
ns16550a|RTS is always obeyed|s/return (uart->mcr & UART_MCR_RTS) || !uart->rts_used;/return uart->mcr \& UART_MCR_RTS;/
ns16550a|RTS in the loop counts|s/(val & UART_MCR_RTS) && !(val & UART_MCR_LOOP);/(val \& UART_MCR_RTS) != 0;/
ns16550a|nothing is paced|s/return uart->host && .*/return false;/
ns16550a|polling guests are paced|s/return uart->host && .*/return uart->host != NULL;/
ns16550a|bursts are ten times as long|s/per_second \/ 1000 \* UART_BURST_MS}/per_second \/ 100 * UART_BURST_MS}/
ns16550a|the share is half|s/UART_READER_SHARE = 6/UART_READER_SHARE = 12/
ns16550a|pauses count as reading|s/if (pace->in_a_row && took < .*/if (1) {/
ns16550a|idle time is saved up without end|s/uint64_t start = util_max_u64(.*/uint64_t start = uart->pace.due;/
ns16550a|reset keeps the registers|s/    uart->ier = uart->fcr = uart->lcr = .*//
ns16550a|reset keeps the line up|/static void uart_reset/,/^}/s/    uart_unlock(uart);/    spin_unlock(\&uart->lock);/
ns16550a|a snapshot lacks a FIFO|s/    uart_snapshot_fifo(snap, &uart->rx);//
ns16550a|a snapshot lacks IER|s/{&uart->ier, &uart->fcr/{\&uart->rbr, \&uart->fcr/
ns16550a|a damaged snapshot is believed|s/    fifo->count = (uint8_t)util_min_u64(fifo->count, UART_FIFO_SIZE);//;s/uart->rx.count = (uint8_t)util_min.*//
ns16550a|removal keeps the line|s/    irq_line_free(&uart->line);//
ns16550a|removal keeps the chardev|/static void uart_remove/,/^}/s/    chardev_free(uart->chardev);//
ns16550a|a failed start keeps the chardev|/^rvvm_mmio_dev_t \*ns16550a_init_host/,/^}/s/        chardev_free(chardev);//
ns16550a|there are no locks|s/    spin_lock(&uart->lock);/    (void)0;/
ns16550a|the FDT's clock is wrong|s/UART_CLOCK_HZ = 40000000/UART_CLOCK_HZ = 1843200/
virtio_net|the header is always short|s/NET_HDR_SIZE + (full ? 2 : 0)/NET_HDR_SIZE/
virtio_net|num_buffers is 1|s/(uint8_t)count;/1;/
virtio_net|a frame goes out in parts when buffers are few|s/while (have < need && count < most)/while (have < 1 \&\& count < most)/
virtio_net|one frame may take several buffers unasked|s/RX_CHAINS_MAX : 1;/RX_CHAINS_MAX : RX_CHAINS_MAX;/
virtio_net|what waits has no bound|s/net->backlog_bytes + size <= BACKLOG_MAX/1/
virtio_net|new frames overtake those that wait|s/(!net->backlog && rx_write/(rx_write/
virtio_net|a reset keeps what waits|/^static void net_reset/,/^}/s/backlog_clear(net);//
virtio_net|a reset keeps offloads|/^static void net_reset/,/^}/s/virtio_net_set_offloads(net, 0);//
virtio_net|a reset keeps modes|/^static void net_reset/,/^}/s/virtio_net_filter_reset(net);//
virtio_net|offloads that nobody asked for|s/if (!(need & ~net->guest_offloads))/if (1)/
virtio_net|the driver is not told of frames|s/net->rx_quiet = true;//
virtio_net|checksums are left to fill|s/    net_fill_checksum(frame, size, hdr);//
virtio_net|checksum fields may lie outside|s/field + 2 > size/0/
virtio_net|large frames need no NEEDS_CSUM|s/hdr->gso_size && (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)/hdr->gso_size/
virtio_net|a busy back end loses frames|s/== VIRTIO_NET_BUSY && net->backend.wake;/== 99;/
virtio_net|harts transmit themselves|s/} else if (net->backend.wake) {/} else if (net->backend.wake \&\& queue == NET_QUEUE_RX) {/
virtio_net|features need nothing|s/if ((features & VIRTIO_BIT(rules\[i\].feature)) && /if (0 \&\& /
virtio_net|the MAC can be written by anybody|s/if (virtio_legacy(net->dev) && offset < 6/if (offset < 6/
virtio_net|frames pass without a link|s/!net->live || !net->link ||/!net->live ||/
virtio_net|a link change is not told|/^void virtio_net_set_link/,/^}/s/virtio_config_changed(net->dev);//
virtio_net|headers shorter than they are|s/total < header_size + NET_FRAME_MIN || //
virtio_net_ctrl|no filter at first|s/net->filter.promisc = 1;.*/net->filter.promisc = 0;/
virtio_net_ctrl|modes are swapped|s/&f->promisc, &f->allmulti, &f->alluni/\&f->promisc, \&f->alluni, \&f->allmulti/
virtio_net_ctrl|long tables are forgotten|s/table->overflow = count > NET_MAC_TABLE;/table->overflow = 0; count = count > NET_MAC_TABLE ? 0 : count;/
virtio_net_ctrl|a refused table is half taken|s/net_mac_table_t unicast, multicast;/net_mac_table_t multicast;/;s/!ctrl_read_table(&unicast, chain)/!ctrl_read_table(\&net->filter.unicast, chain)/;s/net->filter.unicast = unicast;//
virtio_net_ctrl|VLANs are not filtered|s/return net->filter.vlan\[id \/ 8\] >> (id % 8) & 1;/return true;/
virtio_net_ctrl|broadcasts always pass|s/return !f->nobcast;/return true;/
virtio_net_ctrl|MAC commands do not show|s/virtio_config_set(net->dev, 0, mac, 6);//
virtio_net_ctrl|offloads that were not negotiated|s/if (offloads & ~(virtio_features(net->dev) & NET_GUEST_OFFLOADS)) {/if (0) {/
virtio_net_ctrl|the ack is missing|s/virtq_write(chain, &ack, 1);//
net_offload|all segments have the same number|s/seq + (uint32_t)done/seq/
net_offload|FIN is on every segment|s/last ? 0 : TCP_F_FIN | TCP_F_PSH/0/
net_offload|IP lengths stay|s/    put_be16(ip + (at->v6 ? IPV6_LENGTH : IPV4_LENGTH), (uint32_t)length);//
net_offload|IP identification stays|s/(id + n) & 0xffff/id/
net_offload|joined frames have no gso_size|s/            .gso_size = join->gso_size,//
net_offload|PSH does not end a joined frame|s/join->frame\[at.tcp + TCP_FLAGS\] |= flags;//
virtio_blk|the status is put first|s/virtq_seek_writable(chain, total - 1);/virtq_seek_writable(chain, 0);/
virtio_blk|the length covers what was not written|s/uint64_t filled = ok ? io->data : io->moved;/uint64_t filled = io->data;/
virtio_blk|nothing is reported as written|s/virtq_push(chain, (size_t)util_min_u64(filled, total));/virtq_push(chain, 0);/
virtio_blk|answers do not interrupt|s/    virtq_notify(vq);//
virtio_blk|the status byte counts as data|s/    writable--;//
virtio_blk|read-only disks are written|s/len % VIRTIO_BLK_SECTOR .. (write && blk->backend.read_only)/len % VIRTIO_BLK_SECTOR/
virtio_blk|read-only is not offered|s/features .= VIRTIO_BLK_F_RO;/;/
virtio_blk|the end of the disk is not looked at|s/header->sector, len . VIRTIO_BLK_SECTOR, blk->sectors)/0, 0, 1)/
virtio_blk|lengths may be odd|s/if (len % VIRTIO_BLK_SECTOR ../if (/
virtio_blk|writes are never durable|s/return !(features & VIRTIO_BLK_F_FLUSH);/return false;/
virtio_blk|writeback is not heeded|s/return !__atomic_load_n(&blk->writeback, __ATOMIC_RELAXED);/return false;/
virtio_blk|writeback outlives a reset|/^static void blk_reset/,/^}/s/blk_set_writeback(.*/(void)blk;/
virtio_blk|writeback starts at 1 without flush|s/if (!(features & VIRTIO_BLK_F_FLUSH)) {/if (0) {/
virtio_blk|writeback takes any value|s/ && on <= 1) {/) {/
virtio_blk|the configuration can be written|s/if (i != VIRTIO_BLK_CFG_WRITEBACK) {/if (i != VIRTIO_BLK_CFG_WRITEBACK) { continue;/
virtio_blk|discards may unmap|s/(zero ? BLK_RANGE_UNMAP : 0)/BLK_RANGE_UNMAP/
virtio_blk|unknown flags pass|s/if (flags & ~(zero .*/if (0) {/
virtio_blk|unmap gets lost|s/range->unmap = flags & BLK_RANGE_UNMAP;/range->unmap = false;/
virtio_blk|ranges are not checked|s/!util_range_ok(sector, sectors, blk->sectors)/0/
virtio_blk|ranges may be huge|s/sectors > (zero ? BLK_ZERO_SECTORS_MAX : BLK_DISCARD_SECTORS_MAX) ../0 ||/
virtio_blk|one bad range does not count|s/        worst = one > worst ? one : worst;/        worst = one;/;s/status == VIRTIO_BLK_S_OK ? worst : status/status/
virtio_blk|features need not be negotiated|s/if (!virtio_has_feature(blk->dev, bit)) {/if (0) {/
virtio_blk|unknown requests are errors|s/default: blk_answer(chain, 0, VIRTIO_BLK_S_UNSUPP)/default: blk_answer(chain, 0, VIRTIO_BLK_S_IOERR)/;/^    default:/,/}/s/UNSUPP/IOERR/
virtio_blk|the serial may overrun|s/if (writable < VIRTIO_BLK_ID_BYTES) {/if (0) {/
virtio_blk|removal does not wait|/^static void blk_remove/,/^}/s/blk->backend.drain(.*/(void)0;/
virtio_blk|removal keeps the back end|/^static void blk_remove/,/^}/s/blk->backend.close(.*/(void)0;/
virtio_blk|data goes over the status|s/max = (size_t)util_min_u64(max, left);/(void)left;/
virtio_blk|several queues are not offered|s/(queues > 1 ? VIRTIO_BLK_F_MQ : 0)/0/
virtio_gpu|fences are not answered|s/& GPU_FLAG_FENCE;/\& 0;/
virtio_gpu|a fence loses its context|s/cmd.in + 8, 12);/cmd.in + 8, 8);/
virtio_gpu|answers need no room|s/size >= GPU_HEADER ? virtq_write(chain, cmd.out, size) : 0/virtq_write(chain, cmd.out, size)/
virtio_gpu|short commands are taken|s/if (!virtq_read_all(chain, cmd.in, GPU_HEADER)/if (0/;s/if (!virtq_read_all(cmd->chain, cmd->in + GPU_HEADER, size - GPU_HEADER)) {/virtq_read(cmd->chain, cmd->in + GPU_HEADER, size - GPU_HEADER); if (0) {/
virtio_gpu|scanouts lie over each other|s/        x += scanout->want_width;//
virtio_gpu|a scanout that nobody sees is on|s/scanout->want_width != 0);/1);/
virtio_gpu|EDID needs no feature|s/if (!virtio_has_feature(cmd->gpu->dev, VIRTIO_BIT(GPU_F_EDID))) {/if (0) {/
virtio_gpu|EDID has the first size for ever|s/bool seen = scanout->want_width != 0;/bool seen = false;/
virtio_gpu|blobs need no feature|s/if (!virtio_has_feature(gpu->dev, VIRTIO_BIT(GPU_F_RESOURCE_BLOB))) {/if (0) {/
virtio_gpu|blobs may be the host's|s/arg32(cmd, 4) != GPU_BLOB_MEM_GUEST ||//
virtio_gpu|a blob without memory stays|s/            gpu_resource_free(gpu, resource);/            ;/
virtio_gpu|lists may be longer than their command|s/virtq_readable_left(cmd->chain) < (uint64_t)count \* GPU_ENTRY/0/
virtio_gpu|a flush may leave its resource|s/if (!resource->blob && !gpu_rect_ok(&rect, resource->width, resource->height)) {/if (0) {/
virtio_gpu|what is shown can go away|s/        gpu_scanouts_forget(gpu, id);//
virtio_gpu|another size is no event|s/        gpu->events |= GPU_EVENT_DISPLAY;//
virtio_gpu|another size is not told|/^static void gpu_resize/,/^}/s/virtio_config_changed(gpu->dev);//
virtio_gpu|the same size is an event|s/bool news = .*/bool news = true;/
virtio_gpu|events are cleared by any write|s/if (offset < GPU_EVENTS_CLEAR + 4 && offset + len > GPU_EVENTS_CLEAR) {/if (1) {/;s/gpu->events &= ~read_uint32_le_m(clear);/gpu->events = 0;/
virtio_gpu|events stay|s/gpu->events &= ~read_uint32_le_m(clear);//
virtio_gpu|num_scanouts can be written|/^static void gpu_config_written/,/^}/s/    gpu_put_config(gpu);//
virtio_gpu|a reset keeps the screens on|s/        gpu_scanout_reset(&gpu->scanout\[i\]);//
virtio_gpu|a reset keeps resources|/^static void gpu_reset/,/^}/s/    gpu_resource_free_all(gpu);//
virtio_gpu|a reset keeps events|/^static void gpu_reset/,/^}/s/    gpu->events = 0;//
virtio_gpu|nothing is drawn after a snapshot|s/        gpu->redraw = true;//
virtio_gpu|cursors of other scanouts move|s/&gpu->scanout\[index\];$/\&gpu->scanout[0];/
virtio_gpu_resource|ids may be used twice|s/if (!id || gpu_resource_find(gpu, id)) {/if (!id) {/
virtio_gpu_resource|0 is a resource|s/if (!id || gpu_resource_find/if (gpu_resource_find/
virtio_gpu_resource|memory is not bounded|s/gpu->resources < GPU_RESOURCES_MAX && util_range_ok(gpu->memory, size, gpu->memory_max)/gpu->resources < GPU_RESOURCES_MAX/
virtio_gpu_resource|memory is not given back|s/    gpu->memory -= pixels_size(resource);//
virtio_gpu_resource|the number is not bounded|s/gpu->resources < GPU_RESOURCES_MAX && //
virtio_gpu_resource|lists cost nothing|s/    gpu->memory += bytes;//;s/    gpu->memory -= resource->entries \* sizeof(\*resource->backing);//
virtio_gpu_resource|backing may be anywhere|s/ok = virtq_guest_bytes(vq, entries\[i\].addr, entries\[i\].len) != NULL;/ok = true;/
virtio_gpu_resource|backing may be attached twice|s/bool ok = !resource->backing;/bool ok = true;/
virtio_gpu_resource|blobs may be larger than their memory|s/ || size < resource->blob_size) {/) {/
virtio_gpu_resource|a transfer may leave its resource|s/if (!gpu_rect_ok(rect, resource->width, resource->height)) {/if (0) {/
virtio_gpu_resource|a transfer may leave its backing|s/if (!util_range_ok(offset, len, resource->backing_size)) {/if (0) {/
virtio_gpu_resource|rows are as long as the rectangle|s/offset + row \* stride/offset + row * rect->width * 4/
virtio_gpu_resource|pieces start anew|s/        uint64_t skip = at - from->start;/        uint64_t skip = 0;/
virtio_gpu_resource|all formats are alike|s/\*p = swap_red_blue(\*p);/;/
virtio_gpu_resource|X is alpha|s/\*p = __builtin_bswap32(\*p) | GPU_OPAQUE;/*p = __builtin_bswap32(*p);/
virtio_gpu_resource|layouts may leave the blob|s/util_range_ok(layout->offset, (uint64_t)layout->stride \* (layout->height - 1) + row,$/util_range_ok(0, 0,/
virtio_gpu_resource|rows may overlap|s/layout->stride >= row &&/1 \&\&/
virtio_gpu_scanout|scanouts begin at 0|s/(uint32_t)(left - shown->x), (uint32_t)(top - shown->y)/(uint32_t)left, (uint32_t)top/
virtio_gpu_scanout|a new scanout shows nothing|/^static void scanout_show/,/^}/s/scanout_flush(scanout, resource, rect);//
virtio_gpu_scanout|only the first scanout is flushed|s/i < gpu->count; i++/i < 1; i++/
virtio_gpu_scanout|the mode is set each time|s/if (scanout->mode_width == width && scanout->mode_height == height) {/if (0) {/
virtio_gpu_scanout|a blob is a 2D resource, too|s/    if (resource->blob) {\n        return GPU_ERR_INVALID_RESOURCE_ID/XX/;/^gpu_answer_t gpu_scanout_set(/,/^}/s/if (resource->blob) {/if (0) {/
virtio_gpu_scanout|offsets into blobs are lost|s/scanout->layout.offset + row/row/
virtio_gpu_scanout|cursors point with their corner|s/scanout->cursor_x + scanout->hot_x/scanout->cursor_x/
virtio_gpu_scanout|cursors of any size|s/resource->width == side && resource->height == side/1/
virtio_gpu_scanout|a cursor stays when it should go|s/scanout->cursor ? scanout->image : NULL/scanout->image/
virtio_gpu_save|pictures are not kept|s/(blob ||$/(1 ||/
virtio_gpu_save|scanouts are not shown again|s/        scanout_resume(scanout, id, &rect, &layout);//
virtio_gpu_save|who looks today is not heard|s/        scanout->gpu->events |= .*/        ;/
edid|the checksum is wrong|s/edid\[EDID_SIZE - 1\] = (uint8_t)-sum;/edid[EDID_SIZE - 1] = sum;/
edid|large sides overflow|s/height > EDID_SIDE_MAX ? EDID_SIDE_MAX : height/height/;s/width > EDID_SIDE_MAX ? EDID_SIDE_MAX : width/width/
edid|the clock is any|s/clock -= clock % CVT_CLOCK_STEP;//
virtio_input|parts of frames are sent|s/!input->lost && ring_room(input) >= FRAME_MAX/ring_room(input) >= 2/
virtio_input|lost events are not made up for|s/if (input->head == input->tail && input->lost) {/if (0) {/
virtio_input|frames go on after a loss|s/if (!input->lost && ring_room/if (ring_room/
virtio_input|frames do not end|s/^static void ring_sync(virtio_input_t \*input)$/static void ring_sync(virtio_input_t *input) {}\nvoid ring_sync2(virtio_input_t *input);void ring_sync2(virtio_input_t *input)/
virtio_input|a short buffer takes an event|s/        if (ok) {/        if (1) {/
virtio_input|held keys are news for a driver|s/    input->told = input->now;//
virtio_input|old events wait for a new driver|/^static void input_ready/,/^}/s/input->head = input->tail;//
virtio_input|whole notches only|s/    if (by) {/    if (0) {/
virtio_input|parts of notches are forgotten|s/input->wheel\[axis\] = (int32_t)(sum % INPUT_NOTCH);/input->wheel[axis] = 0;/
virtio_input|fingers keep their id|s/    finger->id = down ? finger->id : NO_FINGER;//
virtio_input|ids are used again|s/input->next_id = (input->next_id + 1) & TRACKING_MAX;//
virtio_input|BTN_TOUCH comes with each finger|s/if (any != was) {/if (1) {/
virtio_input|the last finger is the pointer|s/input->now.finger\[first\].id == NO_FINGER/first != slot/
virtio_input|lights stay after a reset|s/        input->host.leds(input->host.opaque, 0);//
virtio_input|lights cannot go out|s/leds & ~(uint32_t)led\[code\]/leds/
virtio_input|the union can be written|/^static void input_config_written/,/^}/s/    input_put_config(data, sel\[0\], sel\[1\]);/    if (offset < 2) { input_put_config(data, sel[0], sel[1]); }/
virtio_input|bitmaps have trailing zeros|s/    while (size && !out\[size - 1\]) {/    while (0) {/
virtio_input|keyboards do not repeat|s/return kind == INPUT_KEYBOARD && type == EVDEV_REP ? 1 : size;/return size;/
virtio_input|axes have no end|s/: INPUT_PLACE_MAX);/: 0);/
virtio_input|what waits is not kept|s/input->tail = input->head + (ok && count <= RING ? count : 0);/input->tail = input->head;/
virtio_input|keys of yesterday stay down|/^static void input_suspend/,/^}/s/        input->lost = true;//
evdev|two keys are swapped|s/\[0x04\] = 30, \[0x05\] = 48/[0x04] = 48, [0x05] = 30/
virtio_snd|messages are used at once|s/if (!virtq_readable_left(pcm->first)) {/if (1) {/
virtio_snd|the status is at the start|s/        virtq_seek_writable(chain, room - SND_STATUS);/        virtq_seek_writable(chain, 0);/
virtio_snd|the latency is in frames|s/ \* (uint32_t)audio_frame_size(&pcm->params);/;/
virtio_snd|sound goes over the status|s/return left > SND_STATUS ? left - SND_STATUS : 0;/return left;/
virtio_snd|recorded messages have no length|s/(size_t)(ok && filled == room - SND_STATUS ? room : filled)/8/
virtio_snd|xruns are told again and again|s/pcm->xrun || !pcm->xruns/!pcm->xruns/
virtio_snd|xruns are told to all|s/pcm->xrun || !pcm->xruns ||/pcm->xrun ||/
virtio_snd|a late stream is an xrun|s/    if (!got) {/    if (got < want) {/
virtio_snd|an xrun is told once for ever|s/pcm->xrun &= !got;//
virtio_snd|a release keeps messages|s/    if (state == PCM_RELEASED) {/    if (0) {/
virtio_snd|a stream may start twice|s/code == SND_PCM_START && can_start/code == SND_PCM_START/
virtio_snd|a running stream may be prepared|s/state != PCM_NEW && state != PCM_RUNNING) {/state != PCM_NEW) {/
virtio_snd|a running stream may get parameters|s/if (pcm->state == PCM_RUNNING || !period/if (!period/
virtio_snd|a release needs nothing|s/code == SND_PCM_RELEASE && can_start/code == SND_PCM_RELEASE/
virtio_snd|periods may be any part of the buffer|s/ || buffer % period) {/) {/
virtio_snd|periods may split frames|s/!period || period % frame ||/!period ||/
virtio_snd|features may be any|s/ || (features & ~(1u << SND_PCM_F_EVT_XRUNS))) {/) {/;s/(features & ~(1u << SND_PCM_F_EVT_XRUNS))/0/
virtio_snd|channels may be any number|s/params.channels > SND_CHANNELS_MAX ||/0 ||/
virtio_snd|a query may leave the table|s/util_range_ok(start, count, total) &&/1 \&\&/
virtio_snd|a query needs no room|s/virtq_writable_left(chain) >= SND_HEADER + (uint64_t)count \* size;/1;/
virtio_snd|descriptions may be cut|s/bool ok = size >= item_size && /bool ok = /
virtio_snd|queues do not mind directions|s/ || snd_captures(snd, index) != capture) {/) {/
virtio_snd|messages need no stream that is prepared|s/pcm->state != PCM_PREPARED && pcm->state != PCM_RUNNING && pcm->state != PCM_STOPPED/0/
virtio_snd|a reset leaves the clock running|/^static pcm_state_t snd_halt/,/^}/s/    snd->host.stop(snd->host.opaque, index);//
virtio_snd|a reset releases nothing|/^static void snd_reset/,/^}/s/            snd->host.release(snd->host.opaque, i);//
virtio_snd|streams do not go on after a snapshot|s/            snd->host.start(snd->host.opaque, i);//
virtio_snd|a message begins again after a snapshot|s/virtq_skip_readable(chain, pcm->skip);/;/
framebuffer|all of a row is shown|s/    \*left = last ? first : 0;/    *left = 0;/
framebuffer|only the first change of a row counts|s/            last = x + 1;/            last = last ? last : x + 1;/
framebuffer|the last pixel of a block is not looked at|s/i < FB_BLOCK \/ 2; i++/i < FB_BLOCK \/ 2 - 1; i++/
framebuffer|bands grow together|s/            fb_show(fb, &band);\n            continue;/continue;/;/if (left == right) {/,/}/s/            fb_show(fb, &band);//
framebuffer|an idle screen misses rows|s/fb->slice = (fb->slice + 1) % FB_SLICES;/fb->slice = (fb->slice + 2) % FB_SLICES;/
framebuffer|an idle screen is looked at in quarters|s/for (; y < fb->height; y += FB_SLICES) {/for (uint32_t from = y * fb->height \/ FB_SLICES, to = (y + 1) * fb->height \/ FB_SLICES; from < to; y = ++from) { y = from;/
framebuffer|an idle screen never wakes|s/if (!fb_slice_differs(fb, fb->slice)) {/if (1) {/
framebuffer|a reset keeps the picture|s/    memset(fb->pixels, 0, fb_size(fb));//
framebuffer|a snapshot is not shown|s/    fb->all |= resume;//
framebuffer|the format is another|s/"a8r8g8b8"/"r5g6b5"/
EOF
}

make -s "BUILD=$build" "$build/librvkit.a" >/dev/null || exit 2
rm -rf "$dir"
mkdir -p "$dir"
for source in tests/device/*.c; do
    object=$dir/$(basename "$source" .c).test.o
    # shellcheck disable=SC2086
    $cc $flags -c -o "$object" "$source" || exit 2
done

# Without a defect, all pass.
for device in plic clint ns16550a rtc_goldfish syscon virtio_net virtio_blk virtio_gpu virtio_input virtio_snd framebuffer; do
    for test in $(tests_of "$device"); do
        $cc -pthread -o "$dir/$test" "$dir/$test.test.o" "$build/librvkit.a" -lm || exit 2
        (cd "$dir" && timeout 60 "./$test" >log 2>&1) || { echo "$test fails as it is"; exit 2; }
    done
done

# Builds one mutant in folder $3 and runs its tests until one fails; "noticed", "MISSED", or why it could not be tried.
try() {
    sed "$2" "src/devices/$1.c" >"$3/$1.c"
    cmp -s "src/devices/$1.c" "$3/$1.c" && echo "UNCHANGED (the sed expression finds nothing)" && return
    # shellcheck disable=SC2086
    $cc $flags -Isrc/devices -c -o "$3/$1.o" "$3/$1.c" 2>"$3/log" || {
        echo "BROKEN (does not compile: $(head -n 1 "$3/log"))"
        return
    }
    for test in $(tests_of "$1"); do
        # shellcheck disable=SC2086
        $cc -pthread -o "$3/$test" "$dir/$test.test.o" "$3/$1.o" "$build/librvkit.a" -lm || return
        (cd "$3" && timeout 30 "./$test" 8 >log 2>&1) || {
            echo "noticed ($test)"
            return
        }
    done
    echo "MISSED"
}

# Every so manyth defect, from one on.
lane() {
    mkdir -p "$dir/$1"
    table | awk "NR % $lanes == $1" | while IFS='|' read -r device what expression; do
        case "$device $what" in *"$only"*) ;; *) continue ;; esac
        echo "$device: $what: $(try "$device" "$expression" "$dir/$1")"
    done >"$dir/$1/report"
}

lanes=$(nproc 2>/dev/null || echo 1)
for number in $(seq 0 $((lanes - 1))); do
    lane "$number" &
done
wait
cat "$dir"/[0-9]*/report >"$dir/report"
grep -v ': noticed' "$dir/report"
noticed=$(grep -c ': noticed' "$dir/report")
total=$(wc -l <"$dir/report")
echo "$noticed of $total defects noticed"
[ "$noticed" -eq "$total" ] && [ "$total" -gt 0 ]
