;; What is done to every octet of a body, sixteen at a time (WebAssembly SIMD). `build.ts` beside this file makes
;; `src/kernel-code.ts` of it; `src/kernel.ts` says how the memory is used; `src/plain-relaxed-body.ts` is the same in
;; plain TypeScript, which it is tested against.
(module
  ;; Two pages of 64 KiB: the packing table at 0, a portion of a body behind it.
  (memory (export "memory") 2)

  ;; Whether the last call saw a CR without LF behind it, or an LF without CR before it.
  (global $bare (export "bare") (mut i32) (i32.const 0))

  ;; Puts a CRLF and zeros behind the portion, so that what is read beyond its end decides nothing: white space at the end
  ;; goes as it does at the end of a line, and no further octet is white space or half a line end.
  (func $close (param $end i32)
    (v128.store (local.get $end) (v128.const i8x16 13 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0))
    (v128.store offset=16 (local.get $end) (v128.const i64x2 0 0)))

  ;; Whether an LF stands first, or of the first two octets one is half a line end and the other is not its other half.
  (func $bareAt (param $at i32) (result i32)
    (i32.or
      (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0a))
      (i32.ne
        (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0d))
        (i32.eq (i32.load8_u offset=1 (local.get $at)) (i32.const 0x0a)))))

  ;; Relaxed body canonicalization (RFC 6376 §3.4.4) of the octets from $start to $end, in place. Answers where the
  ;; result ends. Empty lines at the end of a body are no concern of it.
  ;;
  ;; Of a run of white space the last octet stays, as a SP, unless a CRLF follows. So an octet goes when it is white space
  ;; and white space or a CRLF follows it. The result is never ahead of what is still to be read.
  (func (export "relax") (param $start i32) (param $end i32) (result i32)
    (local $at i32) (local $out i32)
    (local $octets v128) (local $next v128)
    (local $space v128) (local $cr v128) (local $lf v128) (local $uneven v128)
    (local $dropped i32) (local $packed i32)
    (call $close (local.get $end))
    (global.set $bare (call $bareAt (local.get $start)))
    (local.set $at (local.get $start))
    (local.set $out (local.get $start))
    (loop $block
      (local.set $octets (v128.load (local.get $at)))
      (local.set $next (v128.load offset=1 (local.get $at)))
      (local.set $space
        (v128.or
          (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0x20)))
          (i8x16.eq (local.get $octets) (i8x16.splat (i32.const 0x09)))))
      (local.set $cr (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x0d))))
      (local.set $lf (i8x16.eq (v128.load offset=2 (local.get $at)) (i8x16.splat (i32.const 0x0a))))
      ;; A CR stands where the octet behind it is an LF, and nowhere else.
      (local.set $uneven (v128.or (local.get $uneven) (v128.xor (local.get $cr) (local.get $lf))))
      (local.set $dropped
        (i8x16.bitmask
          (v128.and
            (local.get $space)
            (v128.or
              (v128.and (local.get $cr) (local.get $lf))
              (v128.or
                (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x20)))
                (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x09))))))))
      (local.set $octets (v128.bitselect (i8x16.splat (i32.const 0x20)) (local.get $octets) (local.get $space)))
      ;; Where one block needs packing others near it do, in HTML every few: packing eight of them whatever they hold costs
      ;; less than a processor that guesses wrong.
      (local.set $packed (select (i32.const 8) (local.get $packed) (local.get $dropped)))
      (if (local.get $packed)
        (then
          ;; The low eight octets, then the high eight behind those of them that stay.
          (v128.store64_lane 0
            (local.get $out)
            (i8x16.swizzle
              (local.get $octets)
              (v128.load64_zero (i32.shl (i32.and (local.get $dropped) (i32.const 0xff)) (i32.const 3)))))
          (v128.store64_lane 0
            (i32.sub
              (i32.add (local.get $out) (i32.const 8))
              (i32.popcnt (i32.and (local.get $dropped) (i32.const 0xff))))
            (i8x16.swizzle
              (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $octets) (local.get $octets))
              (v128.load64_zero (i32.shl (i32.shr_u (local.get $dropped) (i32.const 8)) (i32.const 3)))))
          (local.set $out
            (i32.sub (i32.add (local.get $out) (i32.const 16)) (i32.popcnt (local.get $dropped))))
          (local.set $packed (i32.sub (local.get $packed) (i32.const 1))))
        (else
          (v128.store (local.get $out) (local.get $octets))
          (local.set $out (i32.add (local.get $out) (i32.const 16)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $at) (local.get $end))))
    (global.set $bare (i32.or (global.get $bare) (v128.any_true (local.get $uneven))))
    ;; Nothing beyond the end was dropped: what was read too much was written too much.
    (i32.sub (local.get $out) (i32.sub (local.get $at) (local.get $end))))

  ;; Looks for bare line ends alone, see $bare.
  (func (export "watch") (param $start i32) (param $end i32)
    (local $at i32) (local $uneven v128)
    (call $close (local.get $end))
    (global.set $bare (call $bareAt (local.get $start)))
    (local.set $at (local.get $start))
    (loop $block
      (local.set $uneven
        (v128.or
          (local.get $uneven)
          (v128.xor
            (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 0x0d)))
            (i8x16.eq (v128.load offset=1 (local.get $at)) (i8x16.splat (i32.const 0x0a))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $at) (local.get $end))))
    (global.set $bare (i32.or (global.get $bare) (v128.any_true (local.get $uneven))))))
