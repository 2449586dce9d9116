#!/bin/sh
# The deepest stack that the node's calls can build, from the frames that the compiler tells
# (-fstack-usage) and the calls in the linked image. Calls through pointers are listed below, by the
# function that makes them; one that is missing there fails this.
# It is an upper bound: some of these chains no run can take.
# Usage: stack.sh BUILD_FOLDER IMAGE      Fails when it is deeper than the image's stack.
set -eu
build=$1 image=$2
symbol() { printf '%d' "0x$(xtensa-lx106-elf-nm "$build/$image.elf" | awk -v name="$1" '$3 == name { print $1 }')"; }
guard=64
limit=$(($(symbol lx106_stack_top) - $(symbol lx106_stack_limit) - guard))

pointers() {
    cat <<'END'
lx106_start lx106_main
sl_run_step ask_utc tick move_in start_frame follow_line move_out take_frame take_datagram send_datagram keep
sl_request_make_key mulgen order br_hmac_drbg_generate
sl_request_point mulgen order
sl_request_encode br_ecdsa_i15_sign_asn1
sl_grant_check br_ecdsa_i15_vrfy_raw start_chain start_cert append end_cert end_chain get_pkey
br_ec_keygen order br_hmac_drbg_generate
sl_tls_init order
lx106_ethernet_poll ethernet_input
netif_add init
ethernet_output send
ip4_output_if_src etharp_output
sys_check_timeouts lwip_cyclic_timer tcpip_tcp_timer
lwip_cyclic_timer etharp_tmr dhcp_coarse_tmr dhcp_fine_tmr dns_tmr
tcp_input on_received on_sent on_connected on_failed tcp_recv_null
tcp_input_delayed_close on_failed
tcp_process_refused_data on_received tcp_recv_null
tcp_slowtmr on_failed
tcp_abandon on_failed
udp_input dhcp_recv dns_recv on_received
dns_call_found answer
jump_handshake br_ssl_hs_client_run
br_ssl_hs_client_run start_chain start_cert append end_cert end_chain get_pkey sl_verifier_verify br_tls12_sha256_prf br_ecdsa_i15_vrfy_asn1 mul mulgen order generator xoff start_name_list start_name append_name end_name end_name_list choose sign
start_chain xm_start_chain
start_cert xm_start_cert
append xm_append
end_cert xm_end_cert
end_chain xm_end_chain
get_pkey xm_get_pkey
sl_verifier_verify br_ecdsa_i15_vrfy_asn1
br_x509_minimal_run br_sha256_init br_sha224_update br_sha256_out hash_dn
hash_dn br_sha256_init br_sha224_update br_sha256_out
verify_signature sl_verifier_verify br_ecdsa_i15_vrfy_asn1
sign br_ecdsa_i15_sign_asn1
br_ecdsa_i15_sign_raw mulgen
br_ecdsa_i15_vrfy_raw muladd
mul api_mul
mulgen api_mulgen
muladd api_muladd
order api_order
generator api_generator
xoff api_xoff
br_ssl_engine_recvrec_ack chapol_decrypt chapol_check_length gcm_decrypt gcm_check_length
sendpld_flush chapol_encrypt gcm_encrypt
make_ready_out chapol_max_plaintext gcm_max_plaintext
br_ssl_engine_init_rand br_sha256_init
br_ssl_engine_hs_reset br_sha256_init
br_ssl_engine_compute_master br_tls12_sha256_prf
compute_key_block br_tls12_sha256_prf
process_key br_sha256_init br_sha224_update br_sha256_out
br_poly1305_ctmul32_run br_chacha20_ct_run
gen_chapol_process br_poly1305_ctmul32_run br_chacha20_ct_run
END
    # The cipher suites' switches, and the hash and block functions behind vtables.
    for from in br_ssl_engine_switch_chapol_in br_ssl_engine_switch_chapol_out; do
        echo $from in_chapol_init out_chapol_init gen_chapol_init
    done
    for from in br_ssl_engine_switch_gcm_in br_ssl_engine_switch_gcm_out; do
        echo $from in_gcm_init out_gcm_init
    done
    for from in br_ssl_engine_switch_cbc_in br_ssl_engine_switch_cbc_out br_ssl_engine_switch_ccm_in \
        br_ssl_engine_switch_ccm_out; do
        echo $from # not offered: never called
    done
    for from in br_hmac_init br_hmac_key_init br_hmac_out br_hmac_update br_multihash_init \
        br_multihash_out br_multihash_update; do
        echo $from br_sha256_init br_sha224_update br_sha256_out sha2small_set_state sha2small_state
    done
    for from in do_ctr do_tag gen_gcm_init; do
        echo $from br_aes_ct_ctr_init br_aes_ct_ctr_run br_ghash_ctmul32
    done
}

{
    find "$build" -name '*.su' -exec cat {} + | awk '{ n = split($1, at, ":"); print "frame", at[n], $2, $3 }'
    pointers | sed 's/^/pointer /'
    xtensa-lx106-elf-objdump -d "$build/$image.elf"
} | awk -v limit="$limit" '
    # A function is its address; several may have one name. Names lose what the compiler adds to
    # those of parts and clones.
    function plain(name) { gsub(/[<>:,]/, "", name); sub(/\+0x.*/, "", name); return name }
    function stem(name) { sub(/[$.](part|constprop|isra|cold).*/, "", name); return name }
    $1 == "frame" { name = stem($2); if ($3 > frame[name]) frame[name] = $3; next }
    $1 == "pointer" { listed[$2] = 1; for (i = 3; i <= NF; i++) reach[stem($2)] = reach[stem($2)] " " $i; next }
    /^[0-9a-f]+ <.*>:$/ { at = $1; raw = plain($2); name_of[at] = stem(raw); places[stem(raw)] = places[stem(raw)] " " at; next }
    $3 == "callx0" && !(raw in listed) && !(name_of[at] in listed) {
        print "FAILED: " raw " calls through a pointer that is not listed"; bad = 1 }
    $3 ~ /^(call0|j)$/ && $NF ~ /^<[^+]*>$/ { calls[at] = calls[at] " " sprintf("%8s", $4) }
    function depth(f, path,    i, j, k, m, d, worst, to, names, all) {
        if (f in known) return known[f]
        if (index(path, f)) return 0 # comes back to itself: counted once
        worst = 0
        all = calls[f]
        m = split(reach[name_of[f]], names, " ")
        for (i = 1; i <= m; i++) all = all " " places[names[i]]
        m = split(all, to, " ")
        for (i = 1; i <= m; i++) if (to[i] in name_of) {
            d = depth(to[i], path " " f)
            if (d > worst) { worst = d; next_of[f] = to[i] }
        }
        return known[f] = frame[name_of[f]] + worst
    }
    END {
        if (bad) exit 1
        main = places["lx106_main"]; sub(/ /, "", main)
        total = depth(main, "")
        for (f = main; f != ""; f = next_of[f]) printf "%6d  %s\n", frame[name_of[f]], name_of[f]
        print "worst static stack " total " bytes, limit " limit
        exit total == 0 || total > limit
    }'
