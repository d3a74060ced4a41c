"""What runs, what it costs a month, and what could cost less: facts are read once, all judging is pure.

prices     the dated price table (tools/render/prices.toml)
readings   two weeks of metrics and events, boiled down to percentiles and hours
spend      what each resource costs now
sizing     a smaller plan, fewer instances, autoscaling: never below what the peak needed, plus room
stores     the same for Postgres and Key Value
idle       what nobody uses, and what runs at night for nobody
supabase   compute, disk and branches of the Supabase project
"""
