#!/usr/bin/env perl
# A leg wearable in Perl, written from docs/wire.md alone: MQTT 3.1.1 and MessagePack by hand, core modules only.
#
#   perl leg.pl --host 127.0.0.1 --port 1883 --device leg-7 --boot 1 --blocks 5
#
# Publishes the birth message and then blocks of one second: one EMG channel at 1000 Hz, acceleration at 50 Hz.
# Prints a line for each ack, and ends with 0 when the last block is acknowledged by the service (with --puback:
# by the broker), or with 1 when that takes longer than --timeout seconds.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my %option = (
    host => '127.0.0.1', port => 1883, device => 'leg-7', boot => 1, blocks => 5, timeout => 30,
    user => '', password => '', t0 => (int(time) - 60) . '000000000',
);
my $puback_is_enough = 0;
while (my $argument = shift @ARGV) {
    if ($argument eq '--puback') { $puback_is_enough = 1; next }
    my ($name) = $argument =~ /^--(\w+)$/;
    die "unknown option $argument\n" unless defined $name && exists $option{$name};
    $option{$name} = shift @ARGV;
}
my $root = "charley/v1/$option{device}";
my $deadline = time + $option{timeout};

# --- MessagePack (wire.md section 4) -------------------------------------------------------------------------

sub mp_uint {
    my ($n) = @_;
    return pack 'C', $n if $n < 0x80;
    return pack 'CC', 0xcc, $n if $n <= 0xff;
    return pack 'Cn', 0xcd, $n if $n <= 0xffff;
    return pack 'CN', 0xce, $n if $n <= 0xffffffff;
    return pack 'CQ>', 0xcf, $n;
}
sub mp_str { my ($s) = @_; return pack('C', 0xa0 | length $s) . $s }    # fixstr: up to 31 bytes
sub mp_float { return pack 'Cd>', 0xcb, $_[0] }
sub mp_bin {
    my ($bytes) = @_;
    return pack('Cn', 0xc5, length $bytes) . $bytes;                    # bin 16
}
sub mp_map { my @pairs = @_; return pack('C', 0x80 | @pairs / 2) . join '', map { $_ % 2 ? $pairs[$_] : mp_str($pairs[$_]) } 0 .. $#pairs }
sub mp_array { return pack('C', 0x90 | @_) . join '', @_ }

sub signal {
    my ($kind, $site, $fs_hz, $scale, @channels) = @_;
    return mp_map(
        kind => mp_str($kind), site => mp_str($site), fs_hz => mp_float($fs_hz), scale => mp_float($scale),
        channels => mp_uint(scalar @channels), samples => mp_bin(join '', map { pack 's<*', @$_ } @channels),
    );
}

# The members of an ack; unknown ones are skipped when they are integers or short text.
sub read_ack {
    my ($bytes) = @_;
    if ($bytes =~ /^\{/) {    # the JSON form
        return map { $_ => $bytes =~ /"$_"\s*:\s*(\d+)/ ? $1 : die "ack without $_\n" } qw(boot seq);
    }
    my $at = 1;
    my $value = sub {
        my $first = ord substr $bytes, $at++, 1;
        return $first if $first < 0x80;
        my ($size, $format) = @{ { 0xcc => [1, 'C'], 0xcd => [2, 'n'], 0xce => [4, 'N'], 0xcf => [8, 'Q>'] }->{$first}
              || [$first & 0x1f, 'a*'] };
        $at += $size;
        return unpack $format, substr $bytes, $at - $size, $size;
    };
    my %ack;
    for (1 .. (ord($bytes) & 0x0f)) { my $name = $value->(); $ack{$name} = $value->() }
    return %ack;
}

# --- MQTT 3.1.1 ----------------------------------------------------------------------------------------------

my $socket = IO::Socket::INET->new(PeerAddr => $option{host}, PeerPort => $option{port}, Proto => 'tcp')
  or die "no connection to $option{host}:$option{port}: $@\n";
binmode $socket;
my $select = IO::Select->new($socket);
my $received = '';

sub utf8_field { my ($s) = @_; return pack('n', length $s) . $s }

sub send_packet {
    my ($type, $body) = @_;
    my ($length, $head) = (length $body, pack 'C', $type);
    do {
        my $byte = $length & 0x7f;
        $length >>= 7;
        $head .= pack 'C', $byte | ($length ? 0x80 : 0);
    } while $length;
    my $packet = $head . $body;
    while (length $packet) {
        my $written = syswrite $socket, $packet;
        die "connection lost: $!\n" unless defined $written;
        substr $packet, 0, $written, '';
    }
}

# The next packet as (type byte, body).
sub read_packet {
    while (1) {
        if ($received =~ /^(.)([\x80-\xff]{0,3}[\x00-\x7f])/s) {
            my ($type, $field) = (ord $1, $2);
            my ($length, $shift) = (0, 0);
            for my $byte (unpack 'C*', $field) { $length |= ($byte & 0x7f) << $shift; $shift += 7 }
            my $start = 1 + length $field;
            if (length $received >= $start + $length) {
                my $body = substr $received, $start, $length;
                substr $received, 0, $start + $length, '';
                return ($type, $body);
            }
        }
        my $left = $deadline - time;
        if ($left <= 0 || !$select->can_read($left)) { print "timeout\n"; exit 1 }
        my $read = sysread $socket, $received, 65536, length $received;
        die "connection closed by the broker\n" unless $read;
    }
}

my $packet_id = 0;

sub publish {
    my ($topic, $payload, $retain) = @_;
    $packet_id = $packet_id % 65535 + 1;
    send_packet(0x32 | ($retain ? 1 : 0), utf8_field($topic) . pack('n', $packet_id) . $payload);
    return $packet_id;
}

# --- The session (wire.md section 11) ------------------------------------------------------------------------

my %status = (boot => mp_uint($option{boot}));
my $will = mp_map(%status, online => "\xc2");
# Flags: will retained with QoS 1, session kept; user name and password where given.
my $flags = 0x04 | 0x08 | 0x20 | ($option{user} ne '' ? 0xc0 : 0);
my $connect = utf8_field('MQTT') . pack('CCn', 4, $flags, 60) . utf8_field($option{device})
  . utf8_field("$root/status") . utf8_field($will);
$connect .= utf8_field($option{user}) . utf8_field($option{password}) if $option{user} ne '';
send_packet(0x10, $connect);
my ($type, $body) = read_packet();
die sprintf "connection refused: %d\n", ord substr $body, 1, 1 if $type != 0x20 || substr($body, 1, 1) ne "\0";

send_packet(0x82, pack('n', ++$packet_id) . utf8_field("$root/ack") . "\x01");
publish("$root/status", mp_map(%status, online => "\xc3", firmware => mp_str('perl-1'),
    sites => mp_array(mp_str('gastrocnemius_medialis'), mp_str('shank')), battery => mp_float(0.9)), 1);

my $noise = 12345;
sub noise { $noise = ($noise * 1103515245 + 12345) & 0x7fffffff; return ($noise >> 16) % (2 * $_[0] + 1) - $_[0] }

my ($next, $service) = (0, -1);
my %in_flight;
while (1) {
    while ($next < $option{blocks} && keys %in_flight < 20) {
        my @emg = map { noise(12) } 1 .. 1000;
        my @acc = ([map { 4096 + noise(4) } 1 .. 50], [map { noise(4) } 1 .. 50], [map { noise(4) } 1 .. 50]);
        my $block = mp_map(
            boot => mp_uint($option{boot}), seq => mp_uint($next),
            t0 => mp_uint($option{t0} + $next * 1_000_000_000),
            signals => mp_array(
                signal('emg', 'gastrocnemius_medialis', 1000, 0.5, \@emg), signal('acc', 'shank', 50, 1 / 4096, @acc),
            ),
        );
        $in_flight{ publish("$root/blocks", $block, 0) } = $next++;
    }
    last if $next == $option{blocks} && ($puback_is_enough ? !%in_flight : $service >= $option{blocks} - 1);
    ($type, $body) = read_packet();
    if ($type == 0x40) {                                        # PUBACK: the broker has it
        delete $in_flight{ unpack 'n', $body };
    } elsif (($type & 0xf0) == 0x30) {                          # PUBLISH: an ack of the service
        my $length = unpack 'n', $body;
        my $at = 2 + $length;
        if ($type & 0x06) {
            send_packet(0x40, substr $body, $at, 2);
            $at += 2;
        }
        my %ack = read_ack(substr $body, $at);
        print "ack boot $ack{boot} seq $ack{seq}\n";
        $service = $ack{seq} if $ack{boot} == $option{boot} && $ack{seq} > $service;
    }
}
publish("$root/status", $will, 1);
($type, $body) = read_packet() until $type == 0x40 && unpack('n', $body) == $packet_id;
send_packet(0xe0, '');
print "published $next block(s)\n";
