;; What is done to every octet of a message, sixteen at a time (WebAssembly SIMD). `build.ts` beside this file makes
;; `src/kernel-code.ts` of it; `src/kernel.ts` says how the memory is used. Each function exists in plain TypeScript as well,
;; which it is tested against.
(module
  ;; Three pages of 64 KiB: the packing table at 0, the edge at 2048, behind it at 2112 whether the last call of relax, watch or
  ;; fields saw a CR without LF behind it or an LF without CR before it, then a portion of a message, then the table of fields.
  (memory (export "memory") 3)

  ;; The edge: thirty-two zeros, then as many octets of ones. Read from 32 - n on, it selects all of thirty-two octets but
  ;; the first n.
  (data (i32.const 2080)
    "\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")

  ;; Puts a CRLF and zeros behind the portion, so that what is read beyond its end decides nothing: white space at the end
  ;; goes as it does at the end of a line, and no further octet is white space or half a line end.
  (func $close (param $end i32)
    (v128.store (local.get $end) (v128.const i8x16 13 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0))
    (v128.store offset=16 (local.get $end) (v128.const i64x2 0 0)))

  ;; Says whether line ends are bare by what was found uneven, and by an LF that stands first: no CR is before that one.
  (func $setBare (param $start i32) (param $uneven v128)
    (i32.store8
      (i32.const 2112)
      (i32.or
        (v128.any_true (local.get $uneven))
        (i32.eq (i32.load8_u (local.get $start)) (i32.const 0x0a)))))

  ;; Relaxed body canonicalization (RFC 6376 §3.4.4) of the octets from $start to $end, in place. Answers where the
  ;; result ends. Empty lines at the end of a body are no concern of it.
  ;;
  ;; Of a run of white space the last octet stays, as a SP, unless a CRLF follows. So an octet goes when it is white space
  ;; and white space or a CRLF follows it. The result is never ahead of what is still to be read. Tabs become SPs before
  ;; anything else: where one is met, in all that is still to come.
  ;;
  ;; The octets looked for are in locals, sixteen times each: they stay in registers. As constants they would be made
  ;; anew in each turn, which takes as long again as all the rest. There are not many more registers, so what both branches
  ;; look for is looked for twice. Nothing that the loop needs may live across a call: it would be kept in memory.
  (func (export "relax") (param $start i32) (param $end i32) (result i32)
    (local $SP v128) (local $HTAB v128) (local $CR v128) (local $LF v128)
    (local $at i32) (local $out i32) (local $uneven v128)
    (local $octets v128) (local $next v128) (local $cr v128) (local $lf v128)
    (local $octets2 v128) (local $next2 v128) (local $cr2 v128) (local $lf2 v128)
    (local $dropped i32) (local $kept i32) (local $behind i32) (local $source i32)
    (local.set $SP (i8x16.splat (i32.const 0x20)))
    (local.set $HTAB (i8x16.splat (i32.const 0x09)))
    (local.set $CR (i8x16.splat (i32.const 0x0d)))
    (local.set $LF (i8x16.splat (i32.const 0x0a)))
    ;; As $close does, and farther.
    (v128.store (local.get $end) (v128.const i8x16 13 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0))
    (v128.store offset=16 (local.get $end) (v128.const i64x2 0 0))
    (v128.store offset=32 (local.get $end) (v128.const i64x2 0 0))
    ;; The loop looks at what stands behind an octet, and so not at the first one.
    (local.set $uneven
      (v128.xor
        (i8x16.eq (v128.load (local.get $start)) (local.get $CR))
        (i8x16.eq (v128.load offset=1 (local.get $start)) (local.get $LF))))
    (if (i32.eq (i32.load8_u (local.get $start)) (i32.const 0x09))
      (then (i32.store8 (local.get $start) (i32.const 0x20))))
    (local.set $at (local.get $start))
    (local.set $out (local.get $start))
    (block $done
      (loop $tabless
        (block $tabs
          (loop $block
            (local.set $octets (v128.load (local.get $at)))
            (local.set $next (v128.load offset=1 (local.get $at)))
            (local.set $octets2 (v128.load offset=16 (local.get $at)))
            (local.set $next2 (v128.load offset=17 (local.get $at)))
            ;; Two blocks need no change but to move up when they have no tab, and no SP beside another one or a control.
            ;; Of two octets the greater is a SP just then.
            (if
              (i32.eqz
                (i8x16.bitmask
                  (v128.or
                    (v128.or
                      (i8x16.eq (local.get $next) (local.get $HTAB))
                      (i8x16.eq (local.get $next2) (local.get $HTAB)))
                    (v128.or
                      (i8x16.eq (i8x16.max_u (local.get $octets) (local.get $next)) (local.get $SP))
                      (i8x16.eq (i8x16.max_u (local.get $octets2) (local.get $next2)) (local.get $SP))))))
              (then
                ;; A CR stands where the octet behind it is an LF, and nowhere else.
                (local.set $uneven
                  (v128.or
                    (local.get $uneven)
                    (v128.or
                      (v128.xor
                        (i8x16.eq (local.get $next) (local.get $CR))
                        (i8x16.eq (v128.load offset=2 (local.get $at)) (local.get $LF)))
                      (v128.xor
                        (i8x16.eq (local.get $next2) (local.get $CR))
                        (i8x16.eq (v128.load offset=18 (local.get $at)) (local.get $LF))))))
                (v128.store (local.get $out) (local.get $octets))
                (v128.store offset=16 (local.get $out) (local.get $octets2))
                (local.set $out (i32.add (local.get $out) (i32.const 32)))
                (local.set $at (i32.add (local.get $at) (i32.const 32)))
                (br_if $block (i32.lt_u (local.get $at) (local.get $end))))
              (else
                (br_if $tabs
                  (i8x16.bitmask
                    (v128.or
                      (i8x16.eq (local.get $next) (local.get $HTAB))
                      (i8x16.eq (local.get $next2) (local.get $HTAB)))))
                (local.set $cr (i8x16.eq (local.get $next) (local.get $CR)))
                (local.set $lf (i8x16.eq (v128.load offset=2 (local.get $at)) (local.get $LF)))
                (local.set $cr2 (i8x16.eq (local.get $next2) (local.get $CR)))
                (local.set $lf2 (i8x16.eq (v128.load offset=18 (local.get $at)) (local.get $LF)))
                (local.set $uneven
                  (v128.or
                    (local.get $uneven)
                    (v128.or
                      (v128.xor (local.get $cr) (local.get $lf))
                      (v128.xor (local.get $cr2) (local.get $lf2)))))
                (local.set $dropped
                  (i32.or
                    (i8x16.bitmask
                      (v128.and
                        (i8x16.eq (local.get $octets) (local.get $SP))
                        (v128.or
                          (i8x16.eq (local.get $next) (local.get $SP))
                          (v128.and (local.get $cr) (local.get $lf)))))
                    (i32.shl
                      (i8x16.bitmask
                        (v128.and
                          (i8x16.eq (local.get $octets2) (local.get $SP))
                          (v128.or
                            (i8x16.eq (local.get $next2) (local.get $SP))
                            (v128.and (local.get $cr2) (local.get $lf2)))))
                      (i32.const 16))))
                ;; How many are kept before the first gap, and a bit behind its end. Where nothing is dropped, both are
                ;; beyond the blocks.
                (local.set $kept (i32.ctz (local.get $dropped)))
                (local.set $behind
                  (i32.add
                    (i32.or (local.get $dropped) (i32.sub (local.get $dropped) (i32.const 1)))
                    (i32.const 1)))
                (if (i32.eqz (i32.and (local.get $dropped) (local.get $behind)))
                  (then
                    ;; One gap at most: behind what is kept goes what stands farther on by its size.
                    (local.set $behind (i32.sub (i32.ctz (local.get $behind)) (local.get $kept)))
                    (local.set $source (i32.add (local.get $at) (local.get $behind)))
                    (v128.store
                      (local.get $out)
                      (i8x16.relaxed_laneselect
                        (v128.load (local.get $source))
                        (local.get $octets)
                        (v128.load offset=2048 (i32.sub (i32.const 32) (local.get $kept)))))
                    (v128.store offset=16
                      (local.get $out)
                      (i8x16.relaxed_laneselect
                        (v128.load offset=16 (local.get $source))
                        (local.get $octets2)
                        (v128.load offset=2064 (i32.sub (i32.const 32) (local.get $kept)))))
                    (local.set $out (i32.sub (i32.add (local.get $out) (i32.const 32)) (local.get $behind)))
                    (local.set $at (i32.add (local.get $at) (i32.const 32))))
                  (else
                    (local.set $behind (i32.ctz (local.get $behind)))
                    (if (i32.ge_u (local.get $behind) (i32.const 10))
                      (then
                        ;; More than one, and the first one ends so far on that a turn pays which takes only that one:
                        ;; the next turn begins behind it. Behind what is kept everything stays as it is, since it may
                        ;; still be to be read.
                        (v128.store
                          (local.get $out)
                          (i8x16.relaxed_laneselect
                            (v128.load (local.get $out))
                            (local.get $octets)
                            (v128.load offset=2048 (i32.sub (i32.const 32) (local.get $kept)))))
                        (v128.store offset=16
                          (local.get $out)
                          (i8x16.relaxed_laneselect
                            (v128.load offset=16 (local.get $out))
                            (local.get $octets2)
                            (v128.load offset=2064 (i32.sub (i32.const 32) (local.get $kept)))))
                        (local.set $out (i32.add (local.get $out) (local.get $kept)))
                        (local.set $at (i32.add (local.get $at) (local.get $behind))))
                      (else
                        ;; Eight octets are packed, the next eight behind those of them that stay, and so on. (Places are
                        ;; below sixteen, where all processors swizzle alike.)
                        (v128.store64_lane 0
                          (local.get $out)
                          (i8x16.relaxed_swizzle
                            (local.get $octets)
                            (v128.load64_zero (i32.shl (i32.and (local.get $dropped) (i32.const 0xff)) (i32.const 3)))))
                        (v128.store64_lane offset=8 0
                          (i32.sub (local.get $out) (i32.popcnt (i32.shl (local.get $dropped) (i32.const 24))))
                          (i8x16.relaxed_swizzle
                            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15
                              (local.get $octets)
                              (local.get $octets))
                            (v128.load64_zero (i32.and (i32.shr_u (local.get $dropped) (i32.const 5)) (i32.const 0x7f8)))))
                        (v128.store64_lane offset=16 0
                          (i32.sub (local.get $out) (i32.popcnt (i32.shl (local.get $dropped) (i32.const 16))))
                          (i8x16.relaxed_swizzle
                            (local.get $octets2)
                            (v128.load64_zero (i32.and (i32.shr_u (local.get $dropped) (i32.const 13)) (i32.const 0x7f8)))))
                        (v128.store64_lane offset=24 0
                          (i32.sub (local.get $out) (i32.popcnt (i32.shl (local.get $dropped) (i32.const 8))))
                          (i8x16.relaxed_swizzle
                            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15
                              (local.get $octets2)
                              (local.get $octets2))
                            (v128.load64_zero (i32.and (i32.shr_u (local.get $dropped) (i32.const 21)) (i32.const 0x7f8)))))
                        (local.set $out
                          (i32.sub (i32.add (local.get $out) (i32.const 32)) (i32.popcnt (local.get $dropped))))
                        (local.set $at (i32.add (local.get $at) (i32.const 32)))))))
                (br_if $block (i32.lt_u (local.get $at) (local.get $end))))))
          (br $done))
        (local.set $source (local.get $at))
        (loop $tab
          (local.set $octets (v128.load (local.get $source)))
          (v128.store
            (local.get $source)
            (i8x16.max_u
              (local.get $octets)
              (v128.and (i8x16.eq (local.get $octets) (local.get $HTAB)) (local.get $SP))))
          (local.set $source (i32.add (local.get $source) (i32.const 16)))
          (br_if $tab (i32.lt_u (local.get $source) (local.get $end))))
        (br $tabless)))
    ;; Nothing beyond the end was dropped: what was read too much was written too much.
    (local.set $out (i32.sub (local.get $out) (i32.sub (local.get $at) (local.get $end))))
    (call $setBare (local.get $start) (local.get $uneven))
    (local.get $out))

  ;; Looks for bare line ends alone.
  (func (export "watch") (param $start i32) (param $end i32)
    (local $CR v128) (local $LF v128) (local $at i32) (local $uneven v128)
    (local.set $CR (i8x16.splat (i32.const 0x0d)))
    (local.set $LF (i8x16.splat (i32.const 0x0a)))
    (call $close (local.get $end))
    (local.set $at (local.get $start))
    (loop $block
      (local.set $uneven
        (v128.or
          (local.get $uneven)
          (v128.xor
            (i8x16.eq (v128.load (local.get $at)) (local.get $CR))
            (i8x16.eq (v128.load offset=1 (local.get $at)) (local.get $LF)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $at) (local.get $end))))
    (call $setBare (local.get $start) (local.get $uneven)))

  ;; Finds the fields of the header from $start to $end (RFC 5322 §2.2). Writes three offsets for each into the table at
  ;; $table: behind the field, behind its name, and that of its colon; the last two are where the field begins when it has
  ;; no name. Answers where what was written ends, or 0 when that would be beyond $tableEnd. Looks for bare line ends as well.
  (func (export "fields") (param $start i32) (param $end i32) (param $table i32) (param $tableEnd i32) (result i32)
    (local $CR v128) (local $LF v128) (local $first i32) (local $at i32) (local $found i32) (local $lf i32) (local $next i32)
    (local $uneven v128)
    (local.set $CR (i8x16.splat (i32.const 0x0d)))
    (local.set $LF (i8x16.splat (i32.const 0x0a)))
    ;; What stands behind the end is neither white space nor a line end.
    (v128.store (local.get $end) (v128.const i64x2 0 0))
    (local.set $first (local.get $start))
    (local.set $at (local.get $start))
    (block $over
      (loop $block
        (br_if $over (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $uneven
          (v128.or
            (local.get $uneven)
            (v128.xor
              (i8x16.eq (v128.load (local.get $at)) (local.get $CR))
              (i8x16.eq (v128.load offset=1 (local.get $at)) (local.get $LF)))))
        (local.set $found (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (local.get $LF))))
        (block $none
          (loop $line
            (br_if $none (i32.eqz (local.get $found)))
            (local.set $lf (i32.add (local.get $at) (i32.ctz (local.get $found))))
            (local.set $found (i32.and (local.get $found) (i32.sub (local.get $found) (i32.const 1))))
            (br_if $over (i32.ge_u (local.get $lf) (local.get $end)))
            ;; Only CRLF ends a line, and white space behind it continues the field.
            (br_if $line (i32.eq (local.get $lf) (local.get $start)))
            (br_if $line (i32.ne (i32.load8_u (i32.sub (local.get $lf) (i32.const 1))) (i32.const 0x0d)))
            (local.set $next (i32.load8_u offset=1 (local.get $lf)))
            (br_if $line (i32.eq (local.get $next) (i32.const 0x20)))
            (br_if $line (i32.eq (local.get $next) (i32.const 0x09)))
            (if (i32.gt_u (i32.add (local.get $table) (i32.const 12)) (local.get $tableEnd)) (then (return (i32.const 0))))
            (local.set $lf (i32.add (local.get $lf) (i32.const 1)))
            (local.set $table (call $field (local.get $start) (local.get $lf) (local.get $table)))
            (local.set $start (local.get $lf))
            (br $line)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $block)))
    ;; A header that ends inside a field.
    (if (i32.lt_u (local.get $start) (local.get $end))
      (then
        (if (i32.gt_u (i32.add (local.get $table) (i32.const 12)) (local.get $tableEnd)) (then (return (i32.const 0))))
        (local.set $table (call $field (local.get $start) (local.get $end) (local.get $table)))))
    (call $setBare (local.get $first) (local.get $uneven))
    (local.get $table))

  ;; One field of it. A name is printable US-ASCII without colon (RFC 5322 §3.6.8); white space may stand before the colon (§4.5).
  (func $field (param $start i32) (param $end i32) (param $table i32) (result i32)
    (local $nameEnd i32) (local $colon i32) (local $octet i32)
    (local.set $nameEnd (local.get $start))
    (block $named
      (loop $letter
        (br_if $named (i32.ge_u (local.get $nameEnd) (local.get $end)))
        (local.set $octet (i32.load8_u (local.get $nameEnd)))
        (br_if $named (i32.eq (local.get $octet) (i32.const 0x3a)))
        (br_if $named (i32.gt_u (i32.sub (local.get $octet) (i32.const 0x21)) (i32.const 0x5d)))
        (local.set $nameEnd (i32.add (local.get $nameEnd) (i32.const 1)))
        (br $letter)))
    (local.set $colon (local.get $nameEnd))
    (block $passed
      (loop $blank
        (br_if $passed (i32.ge_u (local.get $colon) (local.get $end)))
        (local.set $octet (i32.load8_u (local.get $colon)))
        (br_if $passed
          (i32.and
            (i32.ne (local.get $octet) (i32.const 0x20))
            (i32.ne (local.get $octet) (i32.const 0x09))))
        (local.set $colon (i32.add (local.get $colon) (i32.const 1)))
        (br $blank)))
    (if
      (i32.or
        (i32.or
          (i32.eq (local.get $nameEnd) (local.get $start))
          (i32.ge_u (local.get $colon) (local.get $end)))
        (i32.ne (i32.load8_u (local.get $colon)) (i32.const 0x3a)))
      (then
        (local.set $nameEnd (local.get $start))
        (local.set $colon (local.get $start))))
    (i32.store (local.get $table) (local.get $end))
    (i32.store offset=4 (local.get $table) (local.get $nameEnd))
    (i32.store offset=8 (local.get $table) (local.get $colon))
    (i32.add (local.get $table) (i32.const 12)))

  ;; Relaxed header canonicalization (RFC 6376 §3.4.2) of the field from $start to $end, its last CRLF not counted, to $out,
  ;; with a CRLF. What stands from $gapStart to $gapEnd is left out. Answers where the result ends. Up to fifteen octets more
  ;; than the result are written.
  (func (export "relaxField")
    (param $out i32) (param $start i32) (param $colon i32) (param $end i32) (param $gapStart i32) (param $gapEnd i32)
    (result i32)
    (local $SP v128) (local $US v128) (local $octets v128) (local $next v128)
    (local $valueStart i32) (local $at i32) (local $to i32) (local $octet i32) (local $kept i32)
    (local.set $SP (i8x16.splat (i32.const 0x20)))
    (local.set $US (i8x16.splat (i32.const 0x1f)))
    (block $named
      (loop $letter
        (br_if $named (i32.ge_u (local.get $start) (local.get $colon)))
        (local.set $octet (i32.load8_u (local.get $start)))
        (br_if $named (i32.eq (local.get $octet) (i32.const 0x20)))
        (br_if $named (i32.eq (local.get $octet) (i32.const 0x09)))
        (i32.store8
          (local.get $out)
          (i32.add
            (local.get $octet)
            (i32.shl
              (i32.lt_u (i32.sub (local.get $octet) (i32.const 0x41)) (i32.const 26))
              (i32.const 5))))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (local.set $start (i32.add (local.get $start) (i32.const 1)))
        (br $letter)))
    (i32.store8 (local.get $out) (i32.const 0x3a))
    (local.set $out (i32.add (local.get $out) (i32.const 1)))
    (local.set $valueStart (local.get $out))
    (local.set $at (i32.add (local.get $colon) (i32.const 1)))
    (local.set $to
      (select (local.get $gapStart) (local.get $end) (i32.lt_u (local.get $gapStart) (local.get $end))))
    (loop $part
      (block $done
        (loop $more
          (br_if $done (i32.ge_u (local.get $at) (local.get $to)))
          (local.set $octet (i32.load8_u (local.get $at)))
          (if (i32.gt_u (local.get $octet) (i32.const 0x20))
            (then
              ;; As many octets as there are up to a control, or up to a SP before white space or a control. Of two octets
              ;; the greater is a SP just then, controls aside.
              (local.set $octets (v128.load (local.get $at)))
              (local.set $next (v128.load offset=1 (local.get $at)))
              (local.set $kept
                (i32.ctz
                  (i32.or
                    (i32.const 0x10000)
                    (i8x16.bitmask
                      (v128.or
                        (i8x16.eq (i8x16.min_u (local.get $octets) (local.get $US)) (local.get $octets))
                        (i8x16.eq (i8x16.max_u (local.get $octets) (local.get $next)) (local.get $SP)))))))
              (if (i32.gt_u (local.get $kept) (i32.sub (local.get $to) (local.get $at)))
                (then (local.set $kept (i32.sub (local.get $to) (local.get $at)))))
              (v128.store (local.get $out) (local.get $octets))
              (local.set $out (i32.add (local.get $out) (local.get $kept)))
              (local.set $at (i32.add (local.get $at) (local.get $kept)))
              (br $more)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (if
            (i32.or
              (i32.eq (local.get $octet) (i32.const 0x20))
              (i32.eq (local.get $octet) (i32.const 0x09)))
            (then
              ;; One SP for all of it; the one at the end is taken back.
              (br_if $more (i32.eq (local.get $out) (local.get $valueStart)))
              (br_if $more (i32.eq (i32.load8_u (i32.sub (local.get $out) (i32.const 1))) (i32.const 0x20)))
              (i32.store8 (local.get $out) (i32.const 0x20))
              (local.set $out (i32.add (local.get $out) (i32.const 1)))
              (br $more)))
          (if
            (i32.and
              (i32.and
                (i32.eq (local.get $octet) (i32.const 0x0d))
                (i32.lt_u (local.get $at) (local.get $to)))
              (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0a)))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $more)))
          (i32.store8 (local.get $out) (local.get $octet))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (br $more)))
      (if (i32.lt_u (local.get $to) (local.get $end))
        (then
          (local.set $at (local.get $gapEnd))
          (local.set $to (local.get $end))
          (br $part))))
    (if (i32.gt_u (local.get $out) (local.get $valueStart))
      (then
        (if (i32.eq (i32.load8_u (i32.sub (local.get $out) (i32.const 1))) (i32.const 0x20))
          (then (local.set $out (i32.sub (local.get $out) (i32.const 1)))))))
    (i32.store16 (local.get $out) (i32.const 0x0a0d))
    (i32.add (local.get $out) (i32.const 2)))

  ;; Finds the tags of the list from $start to $end (RFC 6376 §3.2). Writes six offsets for each into the table at $table:
  ;; where its name begins and ends, where its value begins and ends without folding white space around it, and where the
  ;; raw value begins and ends. Answers where what was written ends; 0 when it is not such a list, or that would be beyond
  ;; $tableEnd.
  (func (export "tags") (param $start i32) (param $end i32) (param $table i32) (param $tableEnd i32) (result i32)
    (local $SP v128) (local $DEL v128) (local $SEMICOLON v128) (local $octets v128)
    (local $at i32) (local $first i32) (local $stop i32) (local $octet i32)
    (local.set $SP (i8x16.splat (i32.const 0x20)))
    (local.set $DEL (i8x16.splat (i32.const 0x7f)))
    (local.set $SEMICOLON (i8x16.splat (i32.const 0x3b)))
    (local.set $first (local.get $table))
    ;; What stands behind the end is a control, at which everything stops.
    (v128.store (local.get $end) (v128.const i64x2 0 0))
    (local.set $at (local.get $start))
    (block $wrong
      (loop $tag
        (local.set $at (call $passFolds (local.get $at) (local.get $end)))
        (if (i32.eq (local.get $at) (local.get $end))
          (then
            ;; Only what follows the last semicolon may be empty.
            (br_if $wrong (i32.eq (local.get $table) (local.get $first)))
            (return (local.get $table))))
        (br_if $wrong (i32.gt_u (i32.add (local.get $table) (i32.const 24)) (local.get $tableEnd)))
        (i32.store (local.get $table) (local.get $at))
        ;; A name begins with a letter; digits and underscores may follow.
        (br_if $wrong
          (i32.gt_u
            (i32.sub (i32.or (i32.load8_u (local.get $at)) (i32.const 0x20)) (i32.const 0x61))
            (i32.const 25)))
        (loop $letter
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $octet (i32.load8_u (local.get $at)))
          (br_if $letter
            (i32.or
              (i32.or
                (i32.lt_u (i32.sub (i32.or (local.get $octet) (i32.const 0x20)) (i32.const 0x61)) (i32.const 26))
                (i32.lt_u (i32.sub (local.get $octet) (i32.const 0x30)) (i32.const 10)))
              (i32.eq (local.get $octet) (i32.const 0x5f)))))
        (i32.store offset=4 (local.get $table) (local.get $at))
        (local.set $at (call $passFolds (local.get $at) (local.get $end)))
        (br_if $wrong (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x3d)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (i32.store offset=16 (local.get $table) (local.get $at))
        (local.set $at (call $passFolds (local.get $at) (local.get $end)))
        (i32.store offset=8 (local.get $table) (local.get $at))
        (block $ended
          (loop $word
            ;; As many octets as there are up to white space, a control, or a semicolon.
            (local.set $octets (v128.load (local.get $at)))
            (local.set $stop
              (i8x16.bitmask
                (v128.or
                  (i8x16.eq (i8x16.min_u (local.get $octets) (local.get $SP)) (local.get $octets))
                  (v128.or
                    (i8x16.eq (local.get $octets) (local.get $SEMICOLON))
                    (i8x16.eq (local.get $octets) (local.get $DEL))))))
            (if (i32.eqz (local.get $stop))
              (then
                (local.set $at (i32.add (local.get $at) (i32.const 16)))
                (br $word)))
            (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $stop))))
            (i32.store offset=12 (local.get $table) (local.get $at))
            (local.set $at (call $passFolds (local.get $at) (local.get $end)))
            (br_if $ended (i32.eq (local.get $at) (local.get $end)))
            (local.set $octet (i32.load8_u (local.get $at)))
            (br_if $ended (i32.eq (local.get $octet) (i32.const 0x3b)))
            (br_if $wrong (i32.le_u (local.get $octet) (i32.const 0x20)))
            (br_if $wrong (i32.eq (local.get $octet) (i32.const 0x7f)))
            (br $word)))
        (i32.store offset=20 (local.get $table) (local.get $at))
        (local.set $table (i32.add (local.get $table) (i32.const 24)))
        (if (i32.eq (local.get $at) (local.get $end)) (then (return (local.get $table))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $tag)))
    (i32.const 0))

  ;; Passes folding white space: SP, HTAB, and a CRLF that one of them or the end follows.
  (func $passFolds (param $at i32) (param $end i32) (result i32)
    (local $octet i32)
    (loop $more
      (local.set $octet (i32.load8_u (local.get $at)))
      (if
        (i32.or
          (i32.eq (local.get $octet) (i32.const 0x20))
          (i32.eq (local.get $octet) (i32.const 0x09)))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $more)))
      (if
        (i32.and
          (i32.eq (local.get $octet) (i32.const 0x0d))
          (i32.eq (i32.load8_u offset=1 (local.get $at)) (i32.const 0x0a)))
        (then
          (local.set $octet (i32.load8_u offset=2 (local.get $at)))
          (if
            (i32.or
              (i32.or
                (i32.eq (local.get $octet) (i32.const 0x20))
                (i32.eq (local.get $octet) (i32.const 0x09)))
              (i32.eq (i32.add (local.get $at) (i32.const 2)) (local.get $end)))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 2)))
              (br $more))))))
    (local.get $at))

  ;; Base64 (RFC 4648 §4) from $start to $end without the white space in it, to $out: letters, digits, + and /, and one or
  ;; two = at the end. Answers where the result ends; 0 when there is nothing, or anything else. Up to fifteen octets more than the
  ;; result are written.
  (func (export "base64") (param $out i32) (param $start i32) (param $end i32) (result i32)
    (local $CASE v128) (local $A v128) (local $LETTERS v128) (local $SLASH v128) (local $DIGITS v128) (local $PLUS v128)
    (local $octets v128) (local $begin i32) (local $kept i32) (local $octet i32) (local $padding i32)
    (local.set $CASE (i8x16.splat (i32.const 0x20)))
    (local.set $A (i8x16.splat (i32.const 0x61)))
    (local.set $LETTERS (i8x16.splat (i32.const 26)))
    (local.set $SLASH (i8x16.splat (i32.const 0x2f)))
    (local.set $DIGITS (i8x16.splat (i32.const 11)))
    (local.set $PLUS (i8x16.splat (i32.const 0x2b)))
    (v128.store (local.get $end) (v128.const i64x2 0 0))
    (local.set $begin (local.get $out))
    (loop $more
      ;; As many octets as there are of the alphabet; the digits stand right behind the slash.
      (local.set $octets (v128.load (local.get $start)))
      (local.set $kept
        (i32.ctz
          (i32.xor
            (i32.const 0x1ffff)
            (i8x16.bitmask
              (v128.or
                (v128.or
                  (i8x16.lt_u
                    (i8x16.sub (v128.or (local.get $octets) (local.get $CASE)) (local.get $A))
                    (local.get $LETTERS))
                  (i8x16.lt_u (i8x16.sub (local.get $octets) (local.get $SLASH)) (local.get $DIGITS)))
                (i8x16.eq (local.get $octets) (local.get $PLUS)))))))
      (if (local.get $kept)
        (then
          ;; Nothing may follow padding.
          (if (local.get $padding) (then (return (i32.const 0))))
          (v128.store (local.get $out) (local.get $octets))
          (local.set $out (i32.add (local.get $out) (local.get $kept)))
          (local.set $start (i32.add (local.get $start) (local.get $kept)))
          (br_if $more (i32.eq (local.get $kept) (i32.const 16)))))
      (if (i32.eq (local.get $start) (local.get $end))
        (then
          (return
            (select (i32.const 0) (local.get $out)
              (i32.eq (i32.sub (local.get $out) (local.get $begin)) (local.get $padding))))))
      (local.set $octet (i32.load8_u (local.get $start)))
      (local.set $start (i32.add (local.get $start) (i32.const 1)))
      (br_if $more (call $isFold (local.get $octet)))
      (if (i32.eq (local.get $octet) (i32.const 0x3d))
        (then
          (local.set $padding (i32.add (local.get $padding) (i32.const 1)))
          (i32.store8 (local.get $out) (local.get $octet))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (br_if $more (i32.le_u (local.get $padding) (i32.const 2))))))
    (i32.const 0))

  ;; Whether an octet is SP, HTAB, CR or LF.
  (func $isFold (param $octet i32) (result i32)
    (i32.or
      (i32.or
        (i32.eq (local.get $octet) (i32.const 0x20))
        (i32.eq (local.get $octet) (i32.const 0x09)))
      (i32.or
        (i32.eq (local.get $octet) (i32.const 0x0d))
        (i32.eq (local.get $octet) (i32.const 0x0a)))))
)
