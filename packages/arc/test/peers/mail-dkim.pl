# Mail::DKIM::ARC (Debian: libmail-dkim-perl, libmail-authenticationresults-perl) as a sealer and verifier; see README.md.
use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Mail::DKIM::ARC::Signer;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::DNS;
use Net::DNS;

my ($folder) = @ARGV;

# Answers from the zone file, in the one way Mail::DKIM::DNS asks: send(name, type).
package ZoneResolver {
    sub new {
        my ( $class, $file ) = @_;
        open my $lines, '<', $file or die "$file: $!";
        my %records = map { chomp; split / /, $_, 2 } <$lines>;
        return bless { records => \%records }, $class;
    }

    sub send {
        my ( $self, $name, $type ) = @_;
        my $answer = Net::DNS::Packet->new( $name, $type );
        my $record = $self->{records}{ lc $name };
        $answer->header->rcode( defined $record ? 'NOERROR' : 'NXDOMAIN' );

        # A character-string holds 255 octets at most (RFC 1035 section 3.3.14).
        my @strings = defined $record ? $record =~ /(.{1,255})/sg : ();
        $answer->push( answer => Net::DNS::RR->new( name => $name, type => 'TXT', txtdata => \@strings ) ) if @strings;
        return $answer;
    }

    sub errorstring { return 'NOERROR' }
}

package main;

Mail::DKIM::DNS::resolver( ZoneResolver->new("$folder/zone") );

sub verify {
    my ($message) = @_;
    my $checker = Mail::DKIM::ARC::Verifier->new;
    $checker->PRINT($message);
    $checker->CLOSE;
    return { result => $checker->result, detail => $checker->result_detail };
}

sub seal {
    my ($message) = @_;
    my $signer = Mail::DKIM::ARC::Signer->new(
        Algorithm => 'rsa-sha256',
        Chain     => 'ar',
        Domain    => 'peer.test',
        SrvId     => 'peer.test',
        Selector  => 'rsa',
        KeyFile   => "$folder/key.pem",
        Timestamp => time,
    );
    $signer->PRINT($message);
    $signer->CLOSE;
    die $signer->result_detail unless $signer->result eq 'sealed';
    return { fields => encode_base64( join( '', map { "$_\r\n" } $signer->as_strings ), '' ) };
}

binmode STDIN;
$| = 1;
my $json = JSON::PP->new->ascii->canonical;
while ( defined( my $line = <STDIN> ) ) {
    my ( $verb, $id, $size ) = split ' ', $line;
    my $message = '';
    while ( length $message < $size ) {
        read( STDIN, $message, $size - length $message, length $message ) or die 'stdin ended within a message';
    }
    my $outcome = eval { $verb eq 'verify' ? verify($message) : seal($message) } || { error => "$@" };
    print $json->encode( { id => $id + 0, %$outcome } ), "\n";
}
