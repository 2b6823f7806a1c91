/** A message of about this many bytes, as a mail program writes it: a dozen header fields, text lines of 76 octets. */
export function sampleMail(bytes: number, from = 'Ann Example <ann@example.org>'): Buffer {
  const header = [
    'Received: from laptop.example.org (laptop.example.org [192.0.2.7])',
    '\tby mail.example.org (Postfix) with ESMTPSA id 4XyZ1234',
    '\tfor <bob@receiver.test>; Wed, 25 Nov 2026 12:00:00 +0000 (UTC)',
    'Date: Wed, 25 Nov 2026 12:00:00 +0000',
    'MIME-Version: 1.0',
    'User-Agent: Mozilla Thunderbird',
    'Content-Language: en-US',
    'To: Bob <bob@receiver.test>, Carol <carol@receiver.test>',
    `From: ${from}`,
    'Subject: Minutes of the meeting of last Wednesday, and what follows from them for',
    ' the rest of the year',
    'Message-ID: <0d3cd8b2-79b1-4f0e-9b3e-1c6b8a3c9f10@example.org>',
    'In-Reply-To: <6c1f4f3f-3a0b-4d5e-8f7a-2b9d4e6c8a01@receiver.test>',
    'References: <6c1f4f3f-3a0b-4d5e-8f7a-2b9d4e6c8a01@receiver.test>',
    'Content-Type: text/plain; charset=UTF-8; format=flowed',
    'Content-Transfer-Encoding: 7bit',
    '',
    '',
  ].join('\r\n');
  const line = `${'All that was said is written down here, word by word and in its order. '.padEnd(74, 'x')}\r\n`;
  const lines = Math.max(1, Math.ceil((bytes - header.length) / line.length));
  return Buffer.from(header + line.repeat(lines));
}
