# Mail::DKIM (Debian: libmail-dkim-perl) as a signer and verifier; peers/README.md describes the protocol.
use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Mail::DKIM;
use Mail::DKIM::PrivateKey;
use Mail::DKIM::Signature;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my ($folder) = @ARGV;

# Answers from the zone file, in the one way Mail::DKIM::DNS asks: send(name, type).
package ZoneResolver {
    sub new {
        my ( $class, $file ) = @_;
        my %records;
        open my $lines, '<', $file or die "$file: $!";
        while (<$lines>) {
            chomp;
            my ( $name, $record ) = split / /, $_, 2;
            $records{$name} = $record;
        }
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
my $json = JSON::PP->new->ascii->canonical;
my $knows_ed25519 = defined Mail::DKIM::Signature->get_algorithm_class('ed25519-sha256');

sub verify {
    my ($message) = @_;
    my $checker = Mail::DKIM::Verifier->new;
    $checker->PRINT($message);
    $checker->CLOSE;
    my @results = map {
        {
            selector => $_->selector,
            result   => $_->result // 'none',
            detail   => $_->result_detail // '',
        }
    } $checker->signatures;
    return { results => \@results };
}

my %keys;

sub sign {
    my ( $message, $algorithm, $canonicalization, $selector, $domain, $fields ) = @_;
    my $key_file = "$folder/$algorithm.pem";
    my $signer   = Mail::DKIM::Signer->new(
        Policy => sub {
            my ($self) = @_;
            $self->add_signature(
                Mail::DKIM::Signature->new(
                    Algorithm => $algorithm,
                    Method    => $canonicalization,
                    Headers   => $fields,
                    Domain    => $domain,
                    Selector  => $selector,
                    Timestamp => time,
                    Key       => $keys{$key_file} //= Mail::DKIM::PrivateKey->load( File => $key_file ),
                )
            );
            return 0;
        },
    );
    $signer->PRINT($message);
    $signer->CLOSE;
    return { field => encode_base64( $signer->signature->as_string . "\r\n", '' ) };
}

sub perform {
    my ( $verb, $message, @parameters ) = @_;
    return $verb eq 'verify' ? verify($message) : sign( $message, @parameters );
}

sub timed {
    my ( $message, $count, $verb, @parameters ) = @_;
    my $seconds = sub { my ( $user, $system ) = times; return $user + $system };
    my $before  = $seconds->();
    perform( $verb, $message, @parameters ) for 1 .. $count;
    return { seconds => $seconds->() - $before };
}

binmode STDIN;
binmode STDOUT;
$| = 1;
my $algorithms = [ 'rsa-sha256', $knows_ed25519 ? 'ed25519-sha256' : () ];
print $json->encode( { peer => 'Mail::DKIM', version => "$Mail::DKIM::VERSION", algorithms => $algorithms } ), "\n";
while ( defined( my $line = <STDIN> ) ) {
    my ( $verb, $id, $size, @parameters ) = split ' ', $line;
    my $message = '';
    while ( length $message < $size ) {
        read( STDIN, $message, $size - length $message, length $message ) or die 'stdin ended within a message';
    }
    my $outcome = eval { $verb eq 'time' ? timed( $message, @parameters ) : perform( $verb, $message, @parameters ) }
        || { error => "$@" };
    print $json->encode( { id => $id + 0, %$outcome } ), "\n";
}
