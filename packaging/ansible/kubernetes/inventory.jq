# Makes an inventory for Ansible of the nodes of a Kubernetes cluster:
#
#	kubectl get nodes -o json | jq -n -e -f inventory.jq >nodes.json
#
# Every node is a host of the group nodecanary, also one that is not ready or cordoned: those are the
# ones to watch. Left out are nodes that are about to go for good: that are being deleted, that the
# cluster autoscaler or Karpenter is taking down, or that carry the label nodecanary/peer=false.
# A node without an address of its own is left out, too, and named on standard error: the cloud
# provider has not finished with it.

def leaves:
	.metadata.deletionTimestamp != null
	or .metadata.labels["nodecanary/peer"] == "false"
	or any(.spec.taints[]?; .key | IN("ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted",
		"karpenter.sh/disruption"));

# The first address of each family, in the order of the node.
def addresses:
	[.status.addresses[]? | select(.type == "InternalIP").address]
	| unique_by(contains(":")) as $one_each
	| map(select(IN($one_each[])));

def host($labels; $addresses): {
	ansible_host: $addresses[0],
	nodecanary_address: ($addresses | join(", ")),
	nodecanary_labels: ({
		zone: $labels["topology.kubernetes.io/zone"],
		instance_type: $labels["node.kubernetes.io/instance-type"],
		role: ([$labels | keys[] | select(startswith("node-role.kubernetes.io/")) | split("/")[1]]
			| sort | join(",") | if . == "" then null else . end)
	} | del(.[] | select(. == null)))
};

[
	(first(inputs) // error("there was no answer: not even an empty list is written"))
	| .items[] | select(leaves | not)
	| .metadata.name as $name | (.metadata.labels // {}) as $labels | addresses as $addresses
	| if $addresses == [] then
		"\($name) has no InternalIP: left out" | debug | empty
	else
		{key: $name, value: host($labels; $addresses)}
	end
]
| if . == [] then error("no node has an address: not even an empty list is written") else . end
| {nodecanary: {hosts: from_entries}}
